"""Judges what a control plane and its phones said, with pycrate: `check.py RECORDINGS CONTROL_PLANE_SOURCES`.

RECORDINGS is a folder of the files that `tests/it/recorder.rs` writes. Every NGAP PDU is decoded to its end, has all its
mandatory IEs and none that is unknown, and comes out the same when it is encoded again. Every NAS message in it is authentic
under keys that are derived here, and once deciphered the same holds for it. Every message that the sources send or take was
seen. The last line says how many kinds of messages held, and how many did not.
"""

import json
import logging
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import ciphers
import coverage
from nas_security import DOWN, UP, Network

SERVING_NETWORK = "5G:mnc001.mcc410.3gppnetwork.org"
WAYS = {UP: "up", DOWN: "down"}

# What is not judged, and why. (direction, message): reason.
NEVER_SEEN = {}


class Log(logging.Handler):
    """pycrate says here what it could not decode and went over."""

    def __init__(self):
        super().__init__(logging.INFO)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


LOG = Log()
logging.getLogger().addHandler(LOG)
logging.getLogger().setLevel(logging.INFO)

from pycrate_asn1dir import NGAP  # noqa: E402
from pycrate_asn1rt.asnobj_class import CLASS  # noqa: E402
from pycrate_mobile.NAS5G import parse_NAS5G  # noqa: E402
from pycrate_mobile.TS24007 import IE  # noqa: E402
from pycrate_mobile.TS24501_FGMM import FGMMTypeClasses  # noqa: E402
from pycrate_mobile.TS24501_FGSM import FGSMTypeClasses  # noqa: E402

PDU = NGAP.NGAP_PDU_Descriptions.NGAP_PDU
PROCEDURES = {
    value._val: name[3:]
    for name, value in ((n, getattr(NGAP.NGAP_Constants, n.replace("-", "_"))) for n in NGAP.NGAP_Constants._val_)
    if value._typeref and value._typeref.called[1] == "ProcedureCode"
}
GMM = {c.__name__.removeprefix("FGMM").lower() for c in FGMMTypeClasses.values()}
GSM = {c.__name__.removeprefix("FGSM").lower() for c in FGSMTypeClasses.values()}


class Wrong(Exception):
    """What is wrong with a message."""


class Judge:
    def __init__(self):
        self.ngap, self.nas = Counter(), Counter()
        self.kinds = set()
        self.problems = defaultdict(list)
        self.pdus = self.messages = 0
        self.known = {}

    def problem(self, where, kind, why, data):
        found = self.problems[kind, why]
        if len(found) < 1:
            found.append(f"{where}: {data.hex()}")
        else:
            found.append("")

    # ---- NGAP ------------------------------------------------------------------------------------------------------

    def decode_ngap(self, data):
        if data in self.known:
            return self.known[data]
        LOG.lines.clear()
        try:
            PDU.from_aper(data)
        except Exception as error:
            raise Wrong(f"NGAP cannot be decoded: {error}") from error
        value = PDU.get_val()
        again = PDU.to_aper()
        if again != data:
            raise Wrong(f"NGAP comes out otherwise when encoded again: {again.hex()}")
        check_ies(value)
        self.known[data] = value
        return value

    def pdu(self, where, network, way, data):
        self.pdus += 1
        kind = "NGAP"
        try:
            outcome, body = self.decode_ngap(data)
            kind = body["value"][0]
            self.ngap[WAYS[way], kind] += 1
            present = {"initiatingMessage": "Initiating", "successfulOutcome": "Successful"}.get(outcome, "Unsuccessful")
            self.kinds.add((way, f"{present}_{PROCEDURES[body['procedureCode']]}"))
            for nas in nas_pdus(body):
                kind = "NAS"
                self.nas_message(where, network, way, nas)
            for key in find(body, "SecurityKey"):
                check_key(network, key)
        except Wrong as why:
            self.problem(where, f"{WAYS[way]} {kind}", str(why), data)

    # ---- NAS -------------------------------------------------------------------------------------------------------

    def nas_message(self, where, network, way, data):
        self.messages += 1
        if len(data) < 3 or data[0] != 0x7E:
            raise Wrong("no 5GMM message")
        if data[1] & 0x0F == 0:
            return self.plain(where, way, data, None)
        outer, error = parse_NAS5G(data, inner=False)
        if error or outer.to_bytes() != data:
            raise Wrong(f"the security header cannot be decoded ({error})")
        opened = network.open(data, way)
        if opened is None:
            raise Wrong("the MAC is nobody's")
        context, count, clear = opened
        # Only an initial message has its container ciphered by itself (TS 24.501 §4.4.6).
        container = (lambda c: context.cipher(count, way, c)) if data[1] & 0x0F == 1 else None
        self.plain(where, way, clear, container)

    def plain(self, where, way, data, open_container):
        LOG.lines.clear()
        message, error = parse_NAS5G(data, inner=False, sec_hdr=False)
        if message is None or error:
            raise Wrong(f"NAS cannot be decoded: cause {error}: {data.hex()}")
        protocol = "5GMM" if data[0] == 0x7E else "5GSM"
        name = type(message).__name__.removeprefix("FGMM").removeprefix("FGSM")
        self.nas[WAYS[way], protocol, name] += 1
        try:
            check_elements(message, data)
        except Wrong as why:
            self.problem(where, f"{WAYS[way]} {name}", str(why), data)
        for element in message:
            if element._name == "NASContainer":
                inner = bytes(element[-1].get_val())
                self.plain(where, way, open_container(inner) if open_container else inner, None)
            if element._name == "PayloadContainer" and message["PayloadContainerType"]["V"].get_val() == 1:
                self.plain(where, way, bytes(element[-1].get_val()), None)


def check_ies(value):
    """Presence of the IEs of a message and of all transfers inside it (TS 38.413 §10.3)."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        name, inner = value
        if name.startswith("_unk"):
            raise Wrong("an open type of NGAP is unknown")
        if isinstance(inner, dict) and "protocolIEs" in inner:
            check_container(name, inner["protocolIEs"])
        check_ies(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            check_ies(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            check_ies(inner)


IE_SETS = {}


def ie_set(name):
    """The IEs of a message: id to (criticality, presence)."""
    if name not in IE_SETS:
        message = next(
            getattr(module, name) for module in (NGAP.NGAP_PDU_Contents, NGAP.NGAP_IEs) if hasattr(module, name)
        )
        table = message._cont["protocolIEs"]._cont._cont["id"]._const_tab
        IE_SETS[name] = {one["id"]: (one["criticality"], one["presence"]) for one in table._val.root}
    return IE_SETS[name]


def check_container(name, ies):
    known = ie_set(name)
    ids = [one["id"] for one in ies]
    if len(set(ids)) != len(ids):
        raise Wrong(f"{name} has an IE twice")
    for one in ies:
        if one["id"] not in known:
            raise Wrong(f"{name} has the foreign IE {one['id']}")
        if one["criticality"] != known[one["id"]][0]:
            raise Wrong(f"{name} gives the IE {one['id']} another criticality")
    order = list(known)
    if sorted(ids, key=order.index) != ids:
        raise Wrong(f"{name} has its IEs in another order: {ids}")
    for number, (_, presence) in known.items():
        if presence == "mandatory" and number not in ids:
            raise Wrong(f"{name} lacks the mandatory IE {number}")


def find(value, name):
    if isinstance(value, tuple) and len(value) == 2 and value[0] == name:
        yield value[1]
    elif isinstance(value, dict):
        for inner in value.values():
            yield from find(inner, name)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from find(inner, name)


def nas_pdus(value):
    """NAS messages in a PDU, in their order: IEs of their own, and those beside a session."""
    if isinstance(value, tuple) and len(value) == 2 and value[0] == "NAS-PDU":
        yield bytes(value[1])
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name in ("nAS-PDU", "pDUSessionNAS-PDU"):
                yield bytes(inner)
            else:
                yield from nas_pdus(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from nas_pdus(inner)


def check_key(network, key):
    """K_gNB is made from the COUNT of an uplink message that was seen."""
    bits, length = key
    wanted = bits.to_bytes(length // 8, "big")
    for context in network.contexts:
        if any(context.k_gnb(count) == wanted for count in reversed(context.seen[UP])):
            return
    raise Wrong("K_gNB is of no message that was sent")


def check_elements(message, data):
    """Nothing unknown, nothing undecoded, nothing lost."""
    for element in message:
        if element._name.startswith("_T_"):
            raise Wrong(f"the IE {element._name[3:]} is unknown")
        if isinstance(element, IE) and element._IE_stat is not None and element[-1]._name == "V":
            raise Wrong(f"the IE {element._name} cannot be decoded")
    if LOG.lines:
        raise Wrong(LOG.lines[0])
    again = message.to_bytes()
    if again != data:
        raise Wrong(f"NAS comes out otherwise when encoded again: {again.hex()}")


def run(recordings, control_plane):
    started = time.monotonic()
    ciphers.self_test()
    judge = Judge()
    files = sorted(Path(recordings).glob("*.jsonl"))
    for path in files:
        network = Network(SERVING_NETWORK)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            event = json.loads(line)
            if "imsi" in event:
                network.authenticated(event["imsi"], bytes.fromhex(event["k_ausf"]))
            else:
                way = UP if "up" in event else DOWN
                judge.pdu(f"{path.stem}:{number}", network, way, bytes.fromhex(event[WAYS[way]]))
    report(judge, coverage.wanted(control_plane, GMM, GSM))
    print(
        f"{len(files)} recordings, {judge.pdus} NGAP PDUs, {judge.messages} NAS messages in "
        f"{time.monotonic() - started:.1f} s"
    )
    kinds = len(judge.ngap) + len(judge.nas)
    failed = len(judge.problems)
    print(f"{kinds} passed, {failed} failed")
    return 1 if failed or not judge.pdus else 0


def report(judge, wanted):
    ngap_up, ngap_down, nas_up, nas_down = wanted
    assert all(len(names) >= 15 for names in wanted), "the sources are written otherwise than coverage.py thinks"
    for (way, name), count in sorted(judge.ngap.items()):
        print(f"{count:6} {way:4} NGAP {name}")
    for (way, protocol, name), count in sorted(judge.nas.items()):
        print(f"{count:6} {way:4} {protocol} {name}")
    seen_down = {name for way, name in judge.ngap if way == "down"}
    seen_up = {kind for way, kind in judge.kinds if way == UP}
    missing = [("up", kind) for kind in ngap_up - seen_up] + [("down", name) for name in ngap_down - seen_down]
    for way, names in (("up", nas_up), ("down", nas_down)):
        seen = {(protocol, name.lower()) for w, protocol, name in judge.nas if w == way}
        missing += [(way, " ".join(one)) for one in names - seen]
    for one in sorted(missing):
        if one not in NEVER_SEEN:
            judge.problem(" ".join(one), " ".join(one), "was never seen", b"")
    for one in NEVER_SEEN:
        if one not in missing:
            judge.problem(" ".join(one), " ".join(one), "is excepted, and was seen", b"")
    for (kind, why), found in sorted(judge.problems.items()):
        print(f"WRONG {kind}: {why} ({len(found)} times; {found[0]})")


if __name__ == "__main__":
    sys.exit(run(*sys.argv[1:]))
