"""Which messages the core sends and takes, read from its sources."""

import re
from pathlib import Path

# Names that TS 24.501 and pycrate write otherwise than the codec of the core does.
NAS_NAMES = {
    "deregistrationrequestueoriginating": "moderegistrationrequest",
    "deregistrationacceptueoriginating": "moderegistrationaccept",
    "deregistrationrequestueterminated": "mtderegistrationrequest",
    "deregistrationacceptueterminated": "mtderegistrationaccept",
    "fivegmmstatus": "status",
    "fgmmstatus": "status",
    "fivegsmstatus": "status",
    "fgsmstatus": "status",
}


def nas_name(rust):
    name = rust.replace("Establishment", "Estab").replace("Modification", "Modif").lower()
    return NAS_NAMES.get(name, name)


def sources(folder):
    """What works on messages, without its tests."""
    for part in ("n2", "ue", "session"):
        for path in sorted(Path(folder, part).rglob("*.rs")):
            yield path.read_text(encoding="utf-8").split("#[cfg(test)]")[0]


def wanted(folder, gmm, gsm):
    """Four sets: NGAP up (kind and procedure) and down (message), NAS up and down (protocol and message). `gmm` and `gsm`
    are the names of all messages that there are."""
    ngap_up, ngap_down, nas_up, nas_down = set(), set(), set(), set()
    for text in sources(folder):
        ngap_up.update(re.findall(r"NgapPduKind::((?:Initiating|Successful|Unsuccessful)_\w+)", text))
        ngap_down.update(re.findall(r"build_ngap!\(\s*\w+,\s*\w+,\s*(\w+)", text))
        ngap_down.update(re.findall(r"\bpdu!\((\w+),", text))
        nas_up.update(("5GMM", nas_name(n)) for n in re.findall(r"Nas5gmmMessage::([A-Z]\w+)", text))
        nas_up.update(("5GSM", nas_name(n)) for n in re.findall(r"Nas5gsmMessage::([A-Z]\w+)", text))
        for made in re.findall(r"\bNas([A-Z]\w+)::new\(", text):
            name = nas_name(made)
            # An information element has the same form; a status is named after its protocol.
            if made == "FGsmStatus" or (name in gsm and name != "status"):
                nas_down.add(("5GSM", name))
            elif name in gmm:
                nas_down.add(("5GMM", name))
    return ngap_up, ngap_down, nas_up, nas_down
