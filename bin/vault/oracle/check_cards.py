"""Plays the card bureau and the desk with pySim: `check_cards.py FOLDER`, with the files of `tests/it/files.rs`.

Everything is opened with pycryptodome: AES key wrap with padding (RFC 5649), and AES in CBC mode as pySim decrypts columns.
A Milenage card is then played with the keys that came out, computed here from TS 35.206: it has to accept the challenge that
the vault drew for it, and to give the answer that the vault expects. The last line says how many files held.
"""

import csv
import io
import sys
from pathlib import Path

from Crypto.Cipher import AES

PUBLIC = "5a8d38864820197c3394b92613b20b91633cbd897119273bf8e4a6f4eec0a650"
SQN, AMF = bytes.fromhex("000000000120"), bytes.fromhex("8000")
PYSIM_IV = b"\x23" * 16


def xor(*parts):
    return bytes(a ^ b for a, b in zip(*parts)) if len(parts) == 2 else xor(parts[0], xor(*parts[1:]))


def rotated(block, bits):
    value = int.from_bytes(block, "big")
    return ((value << bits | value >> (128 - bits)) & (1 << 128) - 1).to_bytes(16, "big")


def milenage(k, opc, rand):
    """f1 over SQN and AMF, f2, f5 (TS 35.206 §4.1)."""
    encrypt = AES.new(k, AES.MODE_ECB).encrypt
    temp = encrypt(xor(rand, opc))
    out1 = xor(encrypt(xor(temp, rotated(xor((SQN + AMF) * 2, opc), 64), bytes(16))), opc)
    out2 = xor(encrypt(xor(xor(temp, opc), bytes(15) + b"\1")), opc)
    return out1[:8], out2[8:], out2[:6]


def holds(what, told):
    if not told:
        raise ValueError(what)


def play(k, opc, rand, autn, xres):
    mac, res, ak = milenage(k, opc, rand)
    holds("AUTN is not for this card", autn == xor(SQN, ak) + AMF + mac)
    holds("another answer is expected", xres == res)


def swapped(digits, length):
    digits = digits.ljust(2 * length, "f")
    return "".join(digits[at + 1] + digits[at] for at in range(0, 2 * length, 2))


def luhn(digits):
    values = [int(d) * (2 if at % 2 else 1) for at, d in enumerate(reversed(digits))]
    return sum(v - 9 if v > 9 else v for v in values) % 10 == 0


def bureau(text, key, asked, name):
    lines = [line for line in text.splitlines() if not line.startswith("*")]
    at = next(number for number, line in enumerate(lines) if line.startswith("var_out: "))
    header = dict(line.split(": ", 1) for line in lines[:at])
    columns = lines[at].removeprefix("var_out: ").split("/")
    rows = [dict(zip(columns, line.split(" "), strict=True)) for line in lines[at + 1 :]]
    holds("quantity", int(header["Quantity"]) == len(rows) == len(asked))
    holds("algorithm", header["Algorithm"].split(" ")[0] == name)
    check = AES.new(key, AES.MODE_ECB).encrypt(b"\1" * 16)[:3]
    holds("key check value", header["Transport_key_kcv"] == check.hex())
    holds("EF.AD", header["EF_AD"] == "00000002")
    holds("EF.Routing_Indicator", header["EF_Routing_Indicator"][:4] == "71ff")
    holds("EF.SUCI_Calc_Info", header["EF_SUCI_Calc_Info"] == "a0020101" + "a125" + "800101" + "8120" + PUBLIC)
    opened = []
    for row in rows:
        for secret in columns[columns.index("K") :]:
            wrapped = bytes.fromhex(row[secret])
            row[secret] = AES.new(key, AES.MODE_KWP).unseal(wrapped)
            damaged = bytes([wrapped[0] ^ 1]) + wrapped[1:]
            try:
                AES.new(key, AES.MODE_KWP).unseal(damaged)
            except ValueError:
                continue
            raise ValueError("a damaged field unwraps")
        holds("ADM1", len(row["ADM1"]) == 8)
        for pin, digits in (("PIN1", 4), ("PUK1", 8), ("PIN2", 4), ("PUK2", 8)):
            holds(pin, row[pin][:digits].isdigit() and row[pin][digits:] == b"\xff" * (8 - digits))
        holds("EF.ICCID", row["EF_ICCID"] == swapped(row["ICCID"], 10))
        holds("EF.IMSI", row["EF_IMSI"] == "08" + swapped("9" + row["IMSI"], 8))
        holds("EF.ACC", int(row["EF_ACC"], 16) == 1 << int(row["IMSI"][-1]))
        opened.append((row["ICCID"], row["IMSI"], row["K"], row["OPC"]))
    holds("the same PIN or ADM1 twice", len({(row["ADM1"], row["PUK1"]) for row in rows}) == len(rows))
    return opened


def pysim(text, key, asked, name):
    """As pySim does it: names of columns in lower case for pySim-prog, in upper case for the keys of columns."""
    reader = csv.DictReader(io.StringIO(text))
    holds("pySim-prog needs these columns", {"iccid", "imsi", "ki", "opc", "acc", "mcc", "mnc", "adm1"} <= set(reader.fieldnames))
    keys = {"KI": key[:32], "OPC": key[32:]}
    rows = list(reader)
    holds("a line for each card", len(rows) == len(asked))
    for row in rows:
        for column, of_column in keys.items():
            encrypted = bytes.fromhex(row[column.lower()])
            row[column.lower()] = AES.new(of_column, AES.MODE_CBC, PYSIM_IV).decrypt(encrypted)
        holds("algorithm", row["algorithm"] == name)
        holds("network", row["mcc"] + row["mnc"] == row["imsi"][:5] == "41099")
        holds("access class", int(row["acc"], 16) == 1 << int(row["imsi"][-1]))
    return [(row["iccid"], row["imsi"], row["ki"], row["opc"]) for row in rows]


def script(text):
    lines = text.splitlines()
    at = lines.index("select EF.SUCI_Calc_Info")
    holds("the home network's key in the script", lines[at + 1].split(" ")[1].endswith(PUBLIC))


def judge(path):
    name, form = path.stem.split("-")
    key = bytes.fromhex(path.with_suffix(".key").read_text())
    asked = [line.split(" ") for line in path.with_suffix(".asked").read_text().splitlines()]
    read = {"bureau": bureau, "pysim": pysim}[form]
    cards = read(path.read_text(), key, asked, name)
    script(path.with_suffix(".pysim").read_text())
    holds("two cards are alike", len({k for *_, k, _ in cards}) == len(cards))
    for (iccid, imsi, k, opc), (of_iccid, of_imsi, *challenge) in zip(cards, asked, strict=True):
        holds("another card", (iccid, imsi) == (of_iccid, of_imsi) and luhn(iccid))
        if name == "milenage":
            play(k, opc, *map(bytes.fromhex, challenge))
        else:
            holds("TUAK's keys", (len(k), len(opc)) == (32, 32))


def run(folder):
    passed = failed = 0
    for path in sorted(Path(folder).glob("*.file")):
        try:
            judge(path)
            passed += 1
        except Exception as why:  # noqa: BLE001: whatever it is, the file does not hold
            failed += 1
            print(f"WRONG {path.name}: {why!r}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed != 4 else 0


if __name__ == "__main__":
    sys.exit(run(sys.argv[1]))
