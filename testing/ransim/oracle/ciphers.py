"""NAS integrity and ciphering (TS 33.501 Annex D), beside the implementation that is judged.

AES is pycryptodome's. SNOW 3G and ZUC are written here from their specifications (ETSI/SAGE, "Specification of the 3GPP
Confidentiality and Integrity Algorithms UEA2 & UIA2" and "128-EEA3 & 128-EIA3", documents 2); `self_test` has their vectors.
"""

from Crypto.Cipher import AES
from Crypto.Hash import CMAC

M32 = 0xFFFFFFFF


def _gf(a, b, poly):
    """a * b in GF(2^8) modulo x^8 + poly."""
    out = 0
    while b:
        if b & 1:
            out ^= a
        a = (a << 1) ^ (0x100 | poly if a & 0x80 else 0)
        b >>= 1
    return out


def _gf_pow(a, n, poly):
    out = 1
    while n:
        if n & 1:
            out = _gf(out, a, poly)
        a = _gf(a, a, poly)
        n >>= 1
    return out


def _rijndael():
    box = []
    for x in range(256):
        inverse = _gf_pow(x, 254, 0x1B)
        y = 0x63
        for shift in range(5):
            y ^= (inverse << shift | inverse >> 8 - shift) & 0xFF
        box.append(y)
    return box


# ---- SNOW 3G -------------------------------------------------------------------------------------------------------

SR = _rijndael()
# The Dickson polynomial g49, plus 0x25, in GF(2^8) modulo x^8 + x^6 + x^5 + x^3 + 1 (§3.3.2).
SQ = []
for _x in range(256):
    _y = 0x25
    for _n in (1, 9, 13, 15, 33, 41, 45, 47, 49):
        _y ^= _gf_pow(_x, _n, 0x69)
    SQ.append(_y)


def _mix(box, poly):
    """Four tables of a 32-bit S-box: substitution, then the column (x, 1, 1, x+1) and its rotations."""
    tables = [[], [], [], []]
    for x in range(256):
        s = box[x]
        d = _gf(s, 2, poly)
        t = d ^ s
        tables[0].append(d << 24 | t << 16 | s << 8 | s)
        tables[1].append(s << 24 | d << 16 | t << 8 | s)
        tables[2].append(s << 24 | s << 16 | d << 8 | t)
        tables[3].append(t << 24 | s << 16 | s << 8 | d)
    return tables


S1_TABLES = _mix(SR, 0x1B)
S2_TABLES = _mix(SQ, 0x69)


def _alpha(powers):
    """MULalpha and DIValpha (§3.4.2): four multiples of an octet, with x to these powers."""
    factors = [_gf_pow(2, n, 0xA9) for n in powers]
    return [int.from_bytes(bytes(_gf(f, c, 0xA9) for f in factors), "big") for c in range(256)]


MUL_ALPHA = _alpha((23, 245, 48, 239))
DIV_ALPHA = _alpha((16, 39, 6, 64))


def _sbox(tables, w):
    return (tables[0][w >> 24] ^ tables[1][w >> 16 & 0xFF] ^ tables[2][w >> 8 & 0xFF] ^ tables[3][w & 0xFF]) & M32


def snow3g(key, iv, words):
    """`words` words of key stream; key and iv are four words each, k0 to k3 and IV0 to IV3."""
    k0, k1, k2, k3 = key
    inv = [w ^ M32 for w in key]
    s = inv + [k0, k1, k2, k3] + inv + [k0, k1, k2, k3]
    s[15] ^= iv[0]
    s[12] ^= iv[1]
    s[10] ^= iv[2]
    s[9] ^= iv[3]
    r1 = r2 = r3 = 0
    out = []
    for step in range(32 + 1 + words):
        f = ((s[15] + r1) & M32) ^ r2
        r = (r2 + (r3 ^ s[5])) & M32
        r3 = _sbox(S2_TABLES, r2)
        r2 = _sbox(S1_TABLES, r1)
        r1 = r
        if step > 32:
            out.append(f ^ s[0])
        v = (s[0] << 8 & M32) ^ MUL_ALPHA[s[0] >> 24] ^ s[2] ^ (s[11] >> 8) ^ DIV_ALPHA[s[11] & 0xFF]
        if step < 32:
            v ^= f
        s = s[1:] + [v]
    return out


def _words(data):
    return [int.from_bytes(data[i:i + 4], "big") for i in range(0, len(data), 4)]


def _xor_stream(stream, data):
    keys = b"".join(word.to_bytes(4, "big") for word in stream)
    return bytes(a ^ b for a, b in zip(data, keys))


def nea1(key, count, bearer, direction, data):
    k = list(reversed(_words(key)))
    x = bearer << 27 | direction << 26
    # IV0 is the last of COUNT, BEARER, COUNT, BEARER (UEA2 §3.4).
    return _xor_stream(snow3g(k, [x, count, x, count], (len(data) + 3) // 4), data)


def _mul64(v, p, c=0x1B):
    out = 0
    for i in range(64):
        if p >> i & 1:
            out ^= v
        v = (v << 1 & 0xFFFFFFFFFFFFFFFF) ^ (c if v >> 63 else 0)
    return out


def nia1(key, count, bearer, direction, data):
    k = list(reversed(_words(key)))
    fresh = bearer << 27
    iv = [fresh ^ direction << 15, count ^ direction << 31, fresh, count]
    z = snow3g(k, iv, 5)
    p, q = z[0] << 32 | z[1], z[2] << 32 | z[3]
    value = 0
    padded = data + bytes(-len(data) % 8)
    for i in range(0, len(padded), 8):
        value = _mul64(value ^ int.from_bytes(padded[i:i + 8], "big"), p)
    value = _mul64(value ^ len(data) * 8, q)
    return (value >> 32 ^ z[4]).to_bytes(4, "big")


# ---- AES -----------------------------------------------------------------------------------------------------------

def _head(count, bearer, direction):
    return count.to_bytes(4, "big") + bytes([bearer << 3 | direction << 2, 0, 0, 0])


def nea2(key, count, bearer, direction, data):
    return AES.new(key, AES.MODE_CTR, nonce=b"", initial_value=_head(count, bearer, direction) + bytes(8)).encrypt(data)


def nia2(key, count, bearer, direction, data):
    mac = CMAC.new(key, ciphermod=AES)
    mac.update(_head(count, bearer, direction) + data)
    return mac.digest()[:4]


# ---- ZUC -----------------------------------------------------------------------------------------------------------

S0 = bytes.fromhex(
    "3e725b47cae0003304d1549809b96dcb7b1bf932af9d6aa5b82dfc1d08530390"
    "4d4e8499e4ced991ddb685488b296eaccdc1f81e734369c6b5bdfd396320d438"
    "767db2a7cfed57c5f32cbb142106559be3ef5e314f7f5aa40d8251495fba581c"
    "4a16d517a892241f8cffd8ae2e01d3ad3b4bda46ebc9de9a8f87d73a806f2fc8"
    "b1b437f70a2213287ccc3c89c7c3965607bf7ef00b2b975235417961a64c10fe"
    "bc2695888ab0a3fbc01894f2e1e5e95dd0dc1166645cec59427512f5749caa23"
    "0e86abbe2a02e767e644a26cc2939ff1f6fa36d250689e6271153dd640c4e20f"
    "8e83776b25053f0c30ea70b7a1e8a9658d271adb81b3a0f4457a19dfee783460"
)
S1 = bytes.fromhex(
    "55c263713bc847869f3cda5b29aafd778cc5940ca61a1300e3a8167240f9f842"
    "4426689681d9453e1076c6a78b3943e13ab5562ac06db3052266bfdc0bfa6248"
    "dd20110636c9c1cff62752bb69f5d4877f844cd29c57a4bc4f9adffed68d7aeb"
    "2b53d85ca11417fb23d57d3067730809eeb7703f61b2198e4ee54b938f5ddba9"
    "adf1ae2ecb0dfcf42d466e1d97e8d1e94d37a5755e839eab829db91ce0cd4989"
    "01b6bd5824a25f387899159050b895e4d091c7ceed0fb46fa0ccf0024a79c3de"
    "a3efea51e66b18ec1b2c80f774e7ff215a6a541e41319235c433070aba7e0e34"
    "88b1987cf33d606c7bcad31f3265042864be859b2f598ad7b025acaf1203e2f2"
)
D = (0x44D7, 0x26BC, 0x626B, 0x135E, 0x5789, 0x35E2, 0x7135, 0x09AF,
     0x4D78, 0x2F13, 0x6BC4, 0x1AF1, 0x5E26, 0x3C4D, 0x789A, 0x47AC)
P31 = 0x7FFFFFFF


def _rol(x, n):
    return (x << n | x >> 32 - n) & M32


def _zuc_s(x):
    return S0[x >> 24] << 24 | S1[x >> 16 & 0xFF] << 16 | S0[x >> 8 & 0xFF] << 8 | S1[x & 0xFF]


def zuc(key, iv, words):
    """`words` words of key stream."""
    s = [k << 23 | d << 8 | v for k, d, v in zip(key, D, iv)]
    r1 = r2 = 0
    out = []
    for step in range(32 + 1 + words):
        x0 = (s[15] & 0x7FFF8000) << 1 | s[14] & 0xFFFF
        x1 = (s[11] & 0xFFFF) << 16 | s[9] >> 15
        x2 = (s[7] & 0xFFFF) << 16 | s[5] >> 15
        x3 = (s[2] & 0xFFFF) << 16 | s[0] >> 15
        w = ((x0 ^ r1) + r2) & M32
        w1, w2 = (r1 + x1) & M32, r2 ^ x2
        u = (w1 << 16 | w2 >> 16) & M32
        v = (w2 << 16 | w1 >> 16) & M32
        r1 = _zuc_s(u ^ _rol(u, 2) ^ _rol(u, 10) ^ _rol(u, 18) ^ _rol(u, 24))
        r2 = _zuc_s(v ^ _rol(v, 8) ^ _rol(v, 14) ^ _rol(v, 22) ^ _rol(v, 30))
        if step > 32:
            out.append(w ^ x3)
        f = (s[15] << 15) + (s[13] << 17) + (s[10] << 21) + (s[4] << 20) + (s[0] << 8) + s[0]
        if step < 32:
            f += w >> 1
        s = s[1:] + [f % P31 or P31]
    return out


def nea3(key, count, bearer, direction, data):
    iv = _head(count, bearer, direction)
    return _xor_stream(zuc(key, iv + iv, (len(data) + 3) // 4), data)


def _eia3(key, count, bearer, direction, data, bits):
    head = count.to_bytes(4, "big") + bytes([bearer << 3, 0, 0, 0])
    tail = bytes([head[0] ^ direction << 7]) + head[1:6] + bytes([direction << 7]) + head[7:]
    words = (bits + 31) // 32 + 2
    stream = zuc(key, head + tail, words)
    whole = int.from_bytes(b"".join(word.to_bytes(4, "big") for word in stream), "big")
    total = words * 32

    def window(i):
        return whole >> total - 32 - i & M32

    tag = window(bits)
    for i in range(bits):
        if data[i // 8] >> 7 - i % 8 & 1:
            tag ^= window(i)
    return (tag ^ stream[-1]).to_bytes(4, "big")


def nia3(key, count, bearer, direction, data):
    return _eia3(key, count, bearer, direction, data, len(data) * 8)


NEA = {1: nea1, 2: nea2, 3: nea3}
NIA = {1: nia1, 2: nia2, 3: nia3}


def self_test():
    """Published vectors: TS 33.401 Annex C, TS 35.217, TS 35.221 to 35.223."""
    h = bytes.fromhex
    plain = h("981ba6824c1bfb1ab485472029b71d808ce33e2cc3c0b5fc1f3de8a6dc66b1f0")
    sealed = nea1(h("d3c5d592327fb11c4035c6680af8c6d1"), 0x398A59B4, 0x15, 1, plain)
    assert sealed[:31] == h("5d5bfe75eb04f68ce0a12377ea00b37d47c6a0ba06309155086a859c4341b3"), "NEA1"
    assert nia1(h("2bd6459f82c5b300952c49104881ff48"), 0x38A6F056, 0x1F, 0, h("3332346263393861373479")) == h("731f1165")
    sealed = nea2(h("d3c5d592327fb11c4035c6680af8c6d1"), 0x398A59B4, 0x15, 1, plain)
    assert sealed[:31] == h("e9fed8a63d155304d71df20bf3e82214b20ed7dad2f233dc3c22d7bdeeed8e"), "NEA2"
    assert nia2(h("d3c5d592327fb11c4035c6680af8c6d1"), 0x398A59B4, 0x1A, 1, h("484583d5afe082ae")) == h("b93787e6")
    assert zuc(bytes(16), bytes(16), 2) == [0x27BEDE74, 0x018082DA], "ZUC"
    plain = h("6cf65340735552ab0c9752fa6f9025fe0bd675d9005875b2")
    sealed = nea3(h("173d14ba5003731d7a60049470f00a29"), 0x66035492, 0xF, 0, plain)
    assert sealed == h("a6c85fc66afb8533aafc2518dfe784940ee1e4b030238cc8"), "NEA3"
    assert _eia3(bytes(16), 0, 0, 0, bytes(4), 1) == h("c8a9595e")
    key = h("47054125561eb2dda94059da05097850")
    assert _eia3(key, 0x561EB2DD, 0x14, 0, bytes(12), 90) == h("6719a088"), "NIA3"
