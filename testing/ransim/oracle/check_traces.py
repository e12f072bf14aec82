"""Has tshark read traces of phones: `check_traces.py FOLDER`.

FOLDER has what `tests/it/traces.rs` writes: a capture (`.pcap`) as an operator gets it, and its ladder (`.txt`), one line
`up NAME` or `down NAME` for each message. tshark must find the same messages in the same order and directions, each NGAP and
NAS message under its name, nothing malformed, nothing that its experts would remark on, and every checksum right. The last
line says how many messages held, and how many did not.
"""

import re
import subprocess
import sys
from pathlib import Path

CORE = "192.0.2.2"
FIELDS = [
    "ip.src",
    "ip.checksum.status",
    "sctp.checksum.status",
    "_ws.malformed",
    "_ws.expert.message",
    "_ws.col.Info",
]
# What tshark calls a message that begins, ends or refuses a procedure.
ENDINGS = {"": ("", "request", "command"), "response": ("response", "complete"), "failure": ("failure",)}
# EAP stands behind the NAS message that it is in.
EAP = ("request", "response", "success", "failure")


def letters(name):
    return re.sub("[^a-z0-9]", "", name.lower())


def read(capture):
    """What tshark says, one list of fields a packet."""
    command = ["tshark", "-n", "-r", str(capture), "-T", "fields", "-E", "separator=/t", "-E", "occurrence=a"]
    command += ["-o", "sctp.checksum:CRC 32c", "-o", "ip.check_checksum:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"tshark does not read {capture.name}: {done.stderr}")
    return [(line + "\t" * len(FIELDS)).split("\t")[: len(FIELDS)] for line in done.stdout.splitlines()]


def wrong(packet, line):
    """What is wrong with one message; nothing: None."""
    source, ip, sctp, malformed, remark, info = packet
    way, _, name = line.partition(" ")
    if (source == CORE) != (way == "down"):
        return f"goes the wrong way: {source}"
    if malformed or remark:
        return f"malformed or strange: {malformed} {remark}"
    if (ip, sctp) != ("1", "1"):
        return f"checksums {ip} {sctp}"
    ngap, _, nas = name.partition(": ")
    procedure, _, ending = ngap.partition(" ")
    first, *rest = [letters(part) for part in info.split(", ")]
    if first not in [letters(procedure) + word for word in ENDINGS[ending]]:
        return f"tshark calls it {info}"
    wanted = [letters(part) for part in nas.split()]
    more = rest[len(wanted) :]
    if rest[: len(wanted)] != wanted or (more and more[0] not in EAP):
        return f"tshark reads {info}"
    return None


def main(folder):
    held = failed = 0
    for capture in sorted(folder.glob("*.pcap")):
        ladder = capture.with_suffix(".txt").read_text().splitlines()
        packets = read(capture)
        if len(packets) != len(ladder):
            print(f"WRONG {capture.name}: {len(packets)} packets for {len(ladder)} messages")
            failed += 1
        for number, (packet, line) in enumerate(zip(packets, ladder), 1):
            why = wrong(packet, line)
            if why:
                print(f"WRONG {capture.name} {number} {line}: {why}")
                failed += 1
            else:
                held += 1
    print(f"{held} passed, {failed} failed")
    return 1 if failed or not held else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
