"""The 5G NAS security of one network as its phones see it: keys (TS 33.501 Annex A), MACs, ciphering, COUNTs."""

import hmac

from ciphers import NEA, NIA

UP, DOWN = 0, 1
# TS 33.501 §6.4.3.1: the NAS connection identifier of 3GPP access.
BEARER = 1


def kdf(key, fc, *parameters):
    """TS 33.220 Annex B.2."""
    s = bytes([fc]) + b"".join(p + len(p).to_bytes(2, "big") for p in parameters)
    return hmac.digest(key, s, "sha256")


class Context:
    """A security context: K_AMF with the algorithms that a security mode command has chosen."""

    def __init__(self, k_amf, nea, nia):
        self.k_amf, self.nea, self.nia = k_amf, nea, nia
        self.enc = kdf(k_amf, 0x69, b"\x01", bytes([nea]))[16:]
        self.int = kdf(k_amf, 0x69, b"\x02", bytes([nia]))[16:]
        self.next = [0, 0]
        self.seen = ([], [])

    def open(self, message, direction):
        """COUNT and clear text of a protected message; none when the MAC is not this context's."""
        kind, mac, sn, body = message[1] & 0x0F, message[2:6], message[6], message[7:]
        overflow = self.next[direction] >> 8
        for count in ((o << 8 | sn) for o in (overflow, overflow - 1, overflow + 1) if o >= 0):
            if NIA[self.nia](self.int, count, BEARER, direction, message[6:]) != mac:
                continue
            self.next[direction] = max(self.next[direction], count + 1)
            self.seen[direction].append(count)
            return count, self.cipher(count, direction, body) if kind in (2, 4) else body
        return None

    def cipher(self, count, direction, data):
        return NEA[self.nea](self.enc, count, BEARER, direction, data)

    def k_gnb(self, count):
        return kdf(self.k_amf, 0x6E, count.to_bytes(4, "big"), b"\x01")


class Network:
    """All contexts that there have been."""

    def __init__(self, serving_network):
        self.name = serving_network.encode()
        self.keys, self.contexts = [], []

    def authenticated(self, imsi, k_ausf):
        k_seaf = kdf(k_ausf, 0x6C, self.name)
        self.keys.insert(0, kdf(k_seaf, 0x6D, imsi.encode(), b"\0\0"))

    def open(self, message, direction):
        """Context, COUNT and clear text of a protected message, or none."""
        if message[1] & 0x0F == 3:
            # SECURITY MODE COMMAND says in clear which algorithms it is protected with (TS 24.501 §8.2.25).
            nea, nia = message[10] >> 4, message[10] & 0x0F
            if nea not in NEA or nia not in NIA:
                return None
            for k_amf in self.keys:
                context = next((c for c in self.contexts if (c.k_amf, c.nea, c.nia) == (k_amf, nea, nia)), None)
                fresh = context or Context(k_amf, nea, nia)
                opened = fresh.open(message, direction)
                if opened:
                    if context is None:
                        self.contexts.insert(0, fresh)
                    return fresh, *opened
            return None
        for i, context in enumerate(self.contexts):
            opened = context.open(message, direction)
            if opened:
                self.contexts.insert(0, self.contexts.pop(i))
                return context, *opened
        return None
