#!/usr/bin/env python3
"""A second implementation of massa-storage's formats, to check the first one against.

It shares no code with the TypeScript: it was written from docs/FORMAT.md and from the description of Massa's own
formats alone, in one file, with nothing but Python's standard library. Where the two disagree, one of them is wrong.

    massa_archive.py roots RECORDING... [--signatures all|sample|none] [--json]
    massa_archive.py selftest [--fixtures DIR]
    massa_archive.py vectors OUTDIR [--check]
    massa_archive.py proofs FILE
    massa_archive.py answers FILE
    massa_archive.py file FILE.mhs [--flips N]

Exit status: 0 done, 1 something did not verify or differs, 2 bad arguments or unreadable input.
"""
import argparse
import base64
import functools
import gzip
import hashlib
import itertools
import json
import math
import os
import struct
import sys
import zlib


class FormatError(Exception):
    """Bytes that the format refuses; `code` is the code the TypeScript side uses."""

    def __init__(self, code, why):
        super().__init__(f"{code}: {why}")
        self.code = code


# ---------------------------------------------------------------------------------------------------------- BLAKE3

M32 = 0xFFFFFFFF
BLAKE3_IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
BLAKE3_PERMUTATION = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8


def _make_compress():
    # Written out as straight-line code: a loop over lists is four times slower in CPython.
    lines = ["def compress(h0,h1,h2,h3,h4,h5,h6,h7,block,counter,length,flags):",
             " " + ",".join(f"m{i}" for i in range(16)) + "=block",
             " v0=h0;v1=h1;v2=h2;v3=h3;v4=h4;v5=h5;v6=h6;v7=h7"]
    lines += [f" v{8 + i}={BLAKE3_IV[i]}" for i in range(4)]
    lines += [" v12=counter&4294967295", " v13=counter>>32", " v14=length", " v15=flags"]
    order = list(range(16))
    quads = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
             (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14))
    for _ in range(7):
        for g, (a, b, c, d) in enumerate(quads):
            for message, r1, r2 in ((order[2 * g], 16, 12), (order[2 * g + 1], 8, 7)):
                lines.append(f" v{a}=v{a}+v{b}+m{message}&4294967295;v{d}^=v{a};v{d}=v{d}>>{r1}|v{d}<<{32 - r1}&4294967295")
                lines.append(f" v{c}=v{c}+v{d}&4294967295;v{b}^=v{c};v{b}=v{b}>>{r2}|v{b}<<{32 - r2}&4294967295")
        order = [order[p] for p in BLAKE3_PERMUTATION]
    lines.append(" return " + ",".join(f"v{i}^v{i + 8}" for i in range(8)))
    scope = {}
    exec("\n".join(lines), scope)
    return scope["compress"]


_compress = _make_compress()
_WORDS = struct.Struct("<16I")


def _chunk_output(data, start, end, counter):
    """(chaining value before the last block, last block, its length, its flags) of one 1,024-byte BLAKE3 chunk."""
    cv, flags, at = BLAKE3_IV, CHUNK_START, start
    while end - at > 64:
        cv = _compress(*cv, _WORDS.unpack_from(data, at), counter, 64, flags)
        flags = 0
        at += 64
    last = data[at:end]
    return cv, _WORDS.unpack(last.ljust(64, b"\0")), len(last), flags | CHUNK_END


def _subtree(data, start, end, counter):
    size = end - start
    if size <= 1024:
        cv, block, length, flags = _chunk_output(data, start, end, counter)
        return cv, block, counter, length, flags
    left = 1024
    while left * 2 < size:
        left *= 2
    a = _compress(*_subtree_cv(data, start, start + left, counter))
    b = _compress(*_subtree_cv(data, start + left, end, counter + left // 1024))
    return BLAKE3_IV, a + b, 0, 64, PARENT


def _subtree_cv(data, start, end, counter):
    cv, block, count, length, flags = _subtree(data, start, end, counter)
    return (*cv, block, count, length, flags)


@functools.cache
def _blake3(data):
    cv, block, _, length, flags = _subtree(data, 0, len(data), 0)
    return struct.pack("<8I", *_compress(*cv, block, 0, length, flags | ROOT))


def blake3(data):
    """BLAKE3-256, the H of Massa's own formats; remembered, since a block is hashed where it is read and in its BODY."""
    return _blake3(bytes(data))


def sha256(data):
    return hashlib.sha256(data).digest()


# --------------------------------------------------------------------------------------------------------- Ed25519

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
D2 = 2 * D % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
NEUTRAL = (0, 1, 1, 0)


def _decompress(data, strict=True):
    """The point of 32 bytes as (x, y), or None. `strict` refuses what RFC 8032 5.1.3 refuses: y >= p, and -0."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        if strict:
            return None
        y -= P
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * SQRT_M1 % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign and strict:
        return None
    return (P - x if x and x & 1 != sign else x), y


def _double(p):
    x, y, z, _ = p
    a, b = x * x % P, y * y % P
    h, g = a + b, a - b
    e, f = h - (x + y) * (x + y) % P, 2 * z * z + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _add(p, q):
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a, b, c, d = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P, t1 * t2 % P * D2 % P, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _add_cached(p, q):
    """p + q, where q is affine and held as (y + x, y - x, 2dxy)."""
    x1, y1, z1, t1 = p
    yp, ym, t2d = q
    a, b, c, d = (y1 - x1) * ym % P, (y1 + x1) * yp % P, t1 * t2d % P, z1 + z1
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _cached(points):
    """Many projective points as (y + x, y - x, 2dxy), with one inversion for all."""
    products, running = [], 1
    for p in points:
        products.append(running)
        running = running * p[2] % P
    inverse, out = pow(running, -1, P), [None] * len(points)
    for i in range(len(points) - 1, -1, -1):
        x, y, z, _ = points[i]
        zi = inverse * products[i] % P
        inverse = inverse * z % P
        x, y = x * zi % P, y * zi % P
        out[i] = ((y + x) % P, (y - x) % P, x * y % P * D2 % P)
    return out


class _Comb:
    """Multiples of one fixed point: `bits` bits of the scalar are one addition."""

    def __init__(self, point, bits):
        self.bits, self.mask, rows, base = bits, (1 << bits) - 1, [], point
        for _ in range(-(-256 // bits)):
            multiple = base
            for _ in range(self.mask):
                rows.append(multiple)
                multiple = _add(multiple, base)
            base = multiple
        flat = _cached(rows)
        self.rows = [flat[i:i + self.mask] for i in range(0, len(flat), self.mask)]

    def add_to(self, acc, scalar):
        for row in self.rows:
            digit = scalar & self.mask
            if digit:
                acc = _add_cached(acc, row[digit - 1])
            scalar >>= self.bits
        return acc


def _multiply(point, scalar):
    table, multiple = [], point
    for _ in range(15):
        table.append(multiple)
        multiple = _add(multiple, point)
    table, acc = _cached(table), NEUTRAL
    for shift in range(252, -4, -4):
        acc = _double(_double(_double(_double(acc))))
        digit = scalar >> shift & 15
        if digit:
            acc = _add_cached(acc, table[digit - 1])
    return acc


def _encode_point(p):
    x, y, z, _ = p
    zi = pow(z, -1, P)
    x, y = x * zi % P, y * zi % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _extended(xy):
    return xy[0], xy[1], 1, xy[0] * xy[1] % P


def _negative(p):
    return -p[0] % P, p[1], p[2], -p[3] % P


BASE = _extended(_decompress(bytes.fromhex("58" + "66" * 31)))
_base_comb = None
_keys = {}  # public key -> [uses, negated point or None, _Comb or None]
COMB_AFTER_USES = 6  # the table of a key costs about as much as six verifications


def _multiply_base(scalar):
    global _base_comb
    if _base_comb is None:
        _base_comb = _Comb(BASE, 8)
    return _base_comb.add_to(NEUTRAL, scalar)


def _sha512_int(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def ed25519_verify(public_key, message, signature):
    """RFC 8032 without the cofactor: S < L, and S*B - k*A encodes to R."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    key = _keys.get(public_key)
    if key is None:
        xy = _decompress(public_key)
        key = _keys[public_key] = [0, xy and _negative(_extended(xy)), None]
    if key[1] is None:
        return False
    key[0] += 1
    if key[2] is None and key[0] > COMB_AFTER_USES:
        key[2] = _Comb(key[1], 4)
    k = _sha512_int(signature[:32], public_key, message)
    acc = _multiply_base(s)
    acc = key[2].add_to(acc, k) if key[2] else _add(acc, _multiply(key[1], k))
    return _encode_point(acc) == signature[:32]


def ed25519_verify_zip215(public_key, message, signature):
    """ZIP-215: S < L, any encoding of A and R that lies on the curve, 8 S B = 8 R + 8 k A."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    s = int.from_bytes(signature[32:], "little")
    a, r = _decompress(public_key, False), _decompress(signature[:32], False)
    if s >= L or a is None or r is None:
        return False
    k = _sha512_int(signature[:32], public_key, message)
    rest = _add(_multiply_base(s), _add(_multiply(_negative(_extended(a)), k), _negative(_extended(r))))
    x, y, z, _ = _double(_double(_double(rest)))
    return x % P == 0 and (y - z) % P == 0


def _expand_secret(secret):
    digest = hashlib.sha512(secret).digest()
    return (int.from_bytes(digest[:32], "little") & ((1 << 254) - 8)) | 1 << 254, digest[32:]


def ed25519_public_key(secret):
    return _encode_point(_multiply_base(_expand_secret(secret)[0]))


def ed25519_sign(secret, message):
    a, prefix = _expand_secret(secret)
    public_key = ed25519_public_key(secret)
    r = _sha512_int(prefix, message)
    point = _encode_point(_multiply_base(r))
    s = (r + _sha512_int(point, public_key, message) * a) % L
    return point + s.to_bytes(32, "little")


# ------------------------------------------------------------------------------------------- Massa's atoms and text

THREAD_COUNT = 32
MAX_ENDORSEMENTS = 16
MAX_DENUNCIATIONS = 128
MAX_OPERATIONS_PER_BLOCK = 5000
MAX_DATASTORE_ENTRIES = 128
MAX_KEY_BYTES = 255
MAX_FUNCTION_NAME_BYTES = 255
SIGNATURE_AND_KEY_BYTES = 98
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def vi(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def vbytes(data):
    return vi(len(data)) + data


def u16(n):
    return n.to_bytes(2, "big")


def u32(n):
    return n.to_bytes(4, "big")


def u64(n):
    return n.to_bytes(8, "big")


def string(text):
    data = text.encode()
    return u32(len(data)) + data


def slot_key(period, thread):
    return u64(period) + bytes([thread])


class Reader:
    """Bounded reader: every error carries the code of the thing that is being read."""

    def __init__(self, data, code):
        self.data, self.at, self.code = data, 0, code

    def fail(self, why):
        raise FormatError(self.code, f"{why} (at byte {self.at})")

    def take(self, size):
        if size > len(self.data) - self.at:
            self.fail("truncated")
        out = self.data[self.at:self.at + size]
        self.at += size
        return out

    def byte(self):
        return self.take(1)[0]

    def int(self, size):
        return int.from_bytes(self.take(size), "big")

    def vi(self, highest=2**64 - 1):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            if value > highest:
                self.fail("number too large")
            if not byte & 128:
                if byte == 0 and shift:
                    self.fail("number not minimal")
                return value
            shift += 7
            if shift > 63:
                self.fail("number too long")

    def vbytes(self, highest=2**32):
        return self.take(self.vi(highest))

    def versioned(self, size):
        """Version 0 and `size` bytes: a key, an id, a signature, an address."""
        if self.vi() != 0:
            self.fail("version not 0")
        return b"\0" + self.take(size)

    def slot(self):
        period = self.vi()
        thread = self.byte()
        if thread >= THREAD_COUNT:
            self.fail("thread too high")
        return period, thread

    def address(self):
        kind = self.vi()
        if kind > 1:
            self.fail("unknown kind of address")
        return bytes([kind]) + self.versioned(32)

    def end(self):
        if self.at != len(self.data):
            self.fail("trailing bytes")


def base58check_encode(data):
    data += sha256(sha256(data))[:4]
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = ALPHABET[digit] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def base58check_decode(text):
    number = 0
    for char in text:
        digit = ALPHABET.find(char)
        if digit < 0:
            raise FormatError("CORE_BASE58_INVALID", "character outside the alphabet")
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    data = bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(data) < 4 or sha256(sha256(data[:-4]))[:4] != data[-4:]:
        raise FormatError("CORE_BASE58_INVALID", "checksum")
    return data[:-4]


# type -> (letters, bytes after base58check, first byte must be version 0)
TEXT_TYPES = {
    "publicKey": ("P", 33, True), "secretKey": ("S", 33, True), "signature": ("", 65, True),
    "blockId": ("B", 33, True), "operationId": ("O", 33, True), "endorsementId": ("E", 33, True),
    "hash": ("", 32, False),
}


def text_encode(kind, data):
    if kind == "address":
        return ("AU", "AS")[data[0]] + base58check_encode(data[1:])
    return TEXT_TYPES[kind][0] + base58check_encode(data)


_text_cache = {}


def text_decode(kind, text):
    known = _text_cache.get((kind, text))
    if known is not None:
        return known
    if kind == "address":
        if text[:2] not in ("AU", "AS"):
            raise FormatError("CORE_BASE58_INVALID", "prefix")
        data, size, versioned = base58check_decode(text[2:]), 33, True
        out = bytes([text[1] == "S"]) + data
    else:
        letters, size, versioned = TEXT_TYPES[kind]
        if not text.startswith(letters):
            raise FormatError("CORE_BASE58_INVALID", "prefix")
        data = out = base58check_decode(text[len(letters):])
    if len(data) != size or versioned and data[0] != 0:
        raise FormatError("CORE_BASE58_INVALID", "length or version")
    if len(_text_cache) < 200000:
        _text_cache[kind, text] = out
    return out


def block_id_text(digest):
    return text_encode("blockId", b"\0" + digest)


def operation_id_text(digest):
    return text_encode("operationId", b"\0" + digest)


@functools.lru_cache(maxsize=4096)
def user_address(public_key33):
    return b"\0\0" + blake3(public_key33)


def address_thread(address):
    return 0 if address[0] else address[2] >> 3


# --------------------------------------------------------------------- endorsements, denunciations, headers, operations

BYTES = "CORE_BYTES_INVALID"
EMPTY_LIST_HASH = blake3(b"")


def endorsement_content(slot, index, endorsed):
    return vi(slot[0]) + bytes([slot[1]]) + vi(index) + endorsed


def parse_endorsement(content):
    r = Reader(content, BYTES)
    slot, index = r.slot(), r.vi(2**32 - 1)
    if index >= MAX_ENDORSEMENTS:
        r.fail("endorsement index")
    endorsed = r.versioned(32)
    r.end()
    return {"slot": slot, "index": index, "endorsedBlock": endorsed}


def endorsement_id(public_key, content):
    return blake3(public_key + content)


def endorsement_signed_hash(public_key, slot, index, id_hash):
    return blake3(public_key + slot_key(*slot) + index.to_bytes(4, "little") + id_hash)


def read_denunciation(r):
    kind = r.vi()
    if kind > 1:
        r.fail("unknown kind of denunciation")
    out = {"kind": ("blockHeader", "endorsement")[kind], "publicKey": r.versioned(32), "slot": r.slot()}
    if kind:
        out["index"] = r.vi(2**32 - 1)
        if out["index"] >= MAX_ENDORSEMENTS:
            r.fail("endorsement index")
    out["hash1"], out["hash2"] = r.take(32), r.take(32)
    out["signature1"], out["signature2"] = r.versioned(64), r.versioned(64)
    return out


def denunciation_bytes(d):
    out = (b"\0" if d["kind"] == "blockHeader" else b"\1") + d["publicKey"] + vi(d["slot"][0]) + bytes([d["slot"][1]])
    if d["kind"] == "endorsement":
        out += vi(d["index"])
    return out + d["hash1"] + d["hash2"] + d["signature1"] + d["signature2"]


def parse_denunciation(data):
    r = Reader(data, BYTES)
    out = read_denunciation(r)
    r.end()
    return out


def denunciation_signed_hashes(d):
    key = d["publicKey"] + slot_key(*d["slot"])
    if d["kind"] == "endorsement":
        key += d["index"].to_bytes(4, "little")
    return blake3(key + d["hash1"]), blake3(key + d["hash2"])


def header_content(h):
    out = [vi(h["version"])]
    out.append(b"0" if h["announced"] is None else b"1" + vi(h["announced"]))
    out.append(vi(h["slot"][0]) + bytes([h["slot"][1]]))
    out.append(b"\1" + b"".join(h["parents"]) if h["parents"] else b"\0")
    out.append(h["listHash"])
    out.append(vi(len(h["endorsements"])))
    for e in h["endorsements"]:
        out.append(e["signature"] + e["publicKey"] + vi(e["index"]))
    out.append(vi(len(h["denunciations"])))
    out += [denunciation_bytes(d) for d in h["denunciations"]]
    return b"".join(out)


def read_header(r):
    h = {"version": r.vi(2**32 - 1), "announced": None}
    option = r.byte()
    if option == 0x31:
        h["announced"] = r.vi(2**32 - 1)
    elif option != 0x30:
        r.fail("option byte")
    h["slot"] = r.slot()
    flag = r.byte()
    if flag > 1:
        r.fail("parents flag")
    h["parents"] = [r.versioned(32) for _ in range(THREAD_COUNT if flag else 0)]
    h["listHash"] = r.take(32)
    count = r.vi()
    if count > MAX_ENDORSEMENTS or count and not flag:
        r.fail("endorsement count")
    h["endorsements"] = []
    for _ in range(count):
        e = {"signature": r.versioned(64), "publicKey": r.versioned(32), "index": r.vi(2**32 - 1)}
        if e["index"] >= MAX_ENDORSEMENTS or any(e["index"] == other["index"] for other in h["endorsements"]):
            r.fail("endorsement index")
        h["endorsements"].append(e)
    count = r.vi()
    if count > MAX_DENUNCIATIONS:
        r.fail("denunciation count")
    h["denunciations"] = [read_denunciation(r) for _ in range(count)]
    return h


def parse_header(content):
    r = Reader(content, BYTES)
    h = read_header(r)
    r.end()
    return h


def header_signed_hash(public_key, slot, id_hash):
    return blake3(public_key + slot_key(*slot) + id_hash)


def list_hash(operation_ids):
    return blake3(b"".join(u64(33) + i for i in operation_ids))


def genesis_block(thread, period=0):
    """pub33 and content of the genesis block of one thread, from constants; or of a restart of the chain."""
    public_key = text_decode("publicKey", "P12rNx7iyMpAbWx2VzGNZSE5wGDrHWUiwFVAnAuGrrKpMnfrQrH6")
    return public_key, b"\0\x30" + vi(period) + bytes([thread]) + b"\0" + EMPTY_LIST_HASH + b"\0\0"


# A public constant of Massa's source: it signs the genesis blocks and nothing else.
GENESIS_SECRET = "S1UxdCJv5ckDK8z87E5Jq5fEfSVLi2cTHgtpfZy7iURs3KpPns8"


def genesis_signature(thread):
    """65 bytes; Ed25519 is deterministic, so these are the ones that nodes have."""
    secret = text_decode("secretKey", GENESIS_SECRET)[1:]
    digest = header_signed_hash(genesis_block(thread)[0], (0, thread), genesis_ids()[thread][1:])
    return b"\0" + ed25519_sign(secret, digest)


_genesis_ids = None


def genesis_ids():
    global _genesis_ids
    if _genesis_ids is None:
        _genesis_ids = [b"\0" + blake3(b"".join(genesis_block(t))) for t in range(THREAD_COUNT)]
    return _genesis_ids


OPERATION_TYPES = ("transaction", "rollBuy", "rollSell", "executeSC", "callSC")


def operation_content(op):
    kind = OPERATION_TYPES.index(op["type"])
    out = vi(op["fee"]) + vi(op["expirePeriod"]) + vi(kind)
    if kind == 0:
        return out + op["recipient"] + vi(op["amount"])
    if kind <= 2:
        return out + vi(op["rollCount"])
    if kind == 3:
        out += vi(op["maxGas"]) + vi(op["maxCoins"]) + vbytes(op["bytecode"]) + vi(len(op["datastore"]))
        return out + b"".join(vbytes(k) + vbytes(v) for k, v in op["datastore"])
    out += vi(op["maxGas"]) + vi(op["coins"]) + op["target"] + vbytes(op["function"].encode())
    return out + vbytes(op["parameter"])


def read_operation(r):
    op = {"fee": r.vi(), "expirePeriod": r.vi()}
    kind = r.vi()
    if kind >= len(OPERATION_TYPES):
        r.fail("unknown kind of operation")
    op["type"] = OPERATION_TYPES[kind]
    if kind == 0:
        op["recipient"], op["amount"] = r.address(), r.vi()
    elif kind <= 2:
        op["rollCount"] = r.vi()
    elif kind == 3:
        op["maxGas"], op["maxCoins"], op["bytecode"] = r.vi(), r.vi(), r.vbytes(10_000_000)
        count = r.vi()
        if count > MAX_DATASTORE_ENTRIES:
            r.fail("datastore entries")
        op["datastore"] = [(r.vbytes(MAX_KEY_BYTES), r.vbytes(10_000_000)) for _ in range(count)]
    else:
        op["maxGas"], op["coins"], op["target"] = r.vi(), r.vi(), r.address()
        try:
            op["function"] = r.vbytes(MAX_FUNCTION_NAME_BYTES).decode("utf-8")
        except UnicodeDecodeError:
            r.fail("function name is not UTF-8")
        op["parameter"] = r.vbytes(10_000_000)
    return op


def parse_operation(content):
    r = Reader(content, BYTES)
    op = read_operation(r)
    r.end()
    return op


def operation_id(chain_id, public_key, content):
    return b"\0" + blake3(u64(chain_id) + public_key + content)


# ------------------------------------------------------------------------------------------ protobuf, as the node sends it

class NotMassa(Exception):
    """A message of the node that cannot be what it says it is."""


def proto(data):
    """Wire bytes -> {field number: [values]}; varints as int, everything else as bytes."""
    fields, at, end = {}, 0, len(data)

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            if at >= end or shift > 63:
                raise NotMassa("protobuf varint")
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while at < end:
        tag = varint()
        wire = tag & 7
        if wire == 0:
            value = varint()
        else:
            size = {1: 8, 5: 4}.get(wire)
            if size is None:
                if wire != 2:
                    raise NotMassa("protobuf wire type")
                size = varint()
            if size > end - at:
                raise NotMassa("protobuf truncated")
            value = data[at:at + size]
            at += size
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _one(fields, number, default=None):
    values = fields.get(number)
    return values[-1] if values else default


def _text(fields, number):
    return _one(fields, number, b"").decode()


def _message(fields, number):
    return proto(_one(fields, number, b""))


def _proto_slot(data):
    f = proto(data)
    return _one(f, 1, 0), _one(f, 2, 0)


def _proto_amount(fields, number):
    f = _message(fields, number)
    mantissa = _one(f, 1, 0)
    if mantissa and _one(f, 2, 0) != 9:
        raise NotMassa("amount of another scale")
    return mantissa


def _proto_secured(data):
    """(content bytes, signature65, pub33, secure_hash text, serialized_size) of any Signed* message."""
    f = proto(data)
    signature = text_decode("signature", _text(f, 2))
    public_key = text_decode("publicKey", _text(f, 3))
    return _one(f, 1, b""), signature, public_key, _text(f, 5), _one(f, 6, 0), _text(f, 4)


def decode_proto_endorsement(data):
    content, signature, public_key, secure_hash, size, _ = _proto_secured(data)
    f = proto(content)
    return {"slot": _proto_slot(_one(f, 1, b"")), "index": _one(f, 2, 0),
            "endorsedBlock": text_decode("blockId", _text(f, 3)),
            "signature": signature, "publicKey": public_key, "id": secure_hash, "size": size}


def decode_proto_denunciation(data):
    f = proto(data)
    if 1 in f:
        d, out, at = _message(f, 1), {"kind": "blockHeader"}, 3
    elif 2 in f:
        d, out, at = _message(f, 2), {"kind": "endorsement"}, 4
        out["index"] = _one(d, 3, 0)
    else:
        raise NotMassa("unknown kind of denunciation")
    out["publicKey"], out["slot"] = text_decode("publicKey", _text(d, 1)), _proto_slot(_one(d, 2, b""))
    out["hash1"], out["hash2"] = text_decode("hash", _text(d, at)), text_decode("hash", _text(d, at + 1))
    out["signature1"] = text_decode("signature", _text(d, at + 2))
    out["signature2"] = text_decode("signature", _text(d, at + 3))
    return out


def decode_proto_header(data):
    """A SignedBlockHeader as a header with canonical bytes, checked against the id and size the node names."""
    content, signature, public_key, secure_hash, size, address = _proto_secured(data)
    f = proto(content)
    if set(f) - set(range(1, 8)):
        raise NotMassa("unknown field in a header")
    h = {"version": _one(f, 1, 0), "announced": _one(_message(f, 2), 1, 0) if 2 in f else None,
         "slot": _proto_slot(_one(f, 3, b"")),
         "parents": [text_decode("blockId", p.decode()) for p in f.get(4, [])],
         "listHash": text_decode("hash", _text(f, 5)),
         "endorsements": [decode_proto_endorsement(e) for e in f.get(6, [])],
         "denunciations": [decode_proto_denunciation(d) for d in f.get(7, [])]}
    for e in h["endorsements"]:
        if e["slot"] != h["slot"] or not h["parents"] or e["endorsedBlock"] != h["parents"][h["slot"][1]]:
            raise NotMassa("endorsement of another block")
    canonical = header_content(h)
    parse_header(canonical)
    digest = blake3(public_key + canonical)
    if block_id_text(digest) != secure_hash:
        raise NotMassa("header does not hash to its id")
    if size != len(canonical) + SIGNATURE_AND_KEY_BYTES:
        raise NotMassa("serialized_size of a header")
    if text_encode("address", user_address(public_key)) != address:
        raise NotMassa("creator address of a header")
    h.update(content=canonical, publicKey=public_key, signature=signature, hash=digest, id=b"\0" + digest)
    return h


def decode_proto_operation(data, chain_id):
    """A SignedOperation as (kind 1 or 2, bytes as in BODY, signature65, id, parsed operation)."""
    content, signature, public_key, secure_hash, size, _ = _proto_secured(data)
    claimed = text_decode("operationId", secure_hash)
    f = proto(content)
    op = {"fee": _proto_amount(f, 1), "expirePeriod": _one(f, 2, 0)}
    kinds = _message(f, 3)
    if len(kinds) != 1 or not 1 <= next(iter(kinds)) <= 5:
        raise NotMassa("unknown kind of operation")
    number = next(iter(kinds))
    body = _message(kinds, number)
    op["type"] = OPERATION_TYPES[number - 1]
    if number == 1:
        op["recipient"], op["amount"] = text_decode("address", _text(body, 1)), _proto_amount(body, 2)
    elif number <= 3:
        op["rollCount"] = _one(body, 1, 0)
    elif number == 4:
        op["bytecode"], op["maxCoins"], op["maxGas"] = _one(body, 1, b""), _one(body, 2, 0), _one(body, 3, 0)
        op["datastore"] = [(_one(proto(e), 1, b""), _one(proto(e), 2, b"")) for e in body.get(4, [])]
    else:
        op["target"], op["function"] = text_decode("address", _text(body, 1)), _text(body, 2)
        op["parameter"], op["maxGas"], op["coins"] = _one(body, 3, b""), _one(body, 4, 0), _proto_amount(body, 5)
    kind, canonical = restore_operation(chain_id, public_key, op, claimed, size)
    return {"kind": kind, "bytes": public_key + canonical + (vi(size) if kind == 2 else b""), "signature": signature,
            "publicKey": public_key, "id": claimed, "size": size, "op": op}


def reordered_content(chain_id, public_key, op, claimed, size):
    """The content in the one order of 2 to 4 datastore entries that hashes to the id, or None."""
    if op["type"] != "executeSC" or not 2 <= len(op["datastore"]) <= 4:
        return None
    if len(operation_content(op)) != size - SIGNATURE_AND_KEY_BYTES:
        return None
    for order in itertools.permutations(op["datastore"]):
        content = operation_content({**op, "datastore": list(order)})
        if operation_id(chain_id, public_key, content) == claimed:
            return content
    return None


def restore_operation(chain_id, public_key, op, claimed, size):
    """(1, content that hashes to the id) or (2, content with keys ascending, each once)."""
    content = operation_content(op)
    parse_operation(content)
    if operation_id(chain_id, public_key, content) == claimed:
        if size != len(content) + SIGNATURE_AND_KEY_BYTES:
            raise NotMassa("serialized_size of an operation")
        return 1, content
    restored = reordered_content(chain_id, public_key, op, claimed, size)
    if restored is not None:
        return 1, restored
    if op["type"] != "executeSC":
        raise NotMassa("operation does not hash to its id")
    keys = [k for k, _ in op["datastore"]]
    if any(a >= b for a, b in zip(keys, keys[1:])):
        raise NotMassa("datastore shown unsorted, and not hashing to the id")
    return 2, content


# ---------------------------------------------------------------------------------------- BODY, SEALS, trees and roots

CHUNK_BYTES = 1_048_576
LEAF_BYTES = 1024
PERIODS_PER_ERA = 128
NO_BLOCK, BLOCK, VOID = 0, 1, 2
MAX_HEAD_BYTES = 64 * 1024 + 33 * MAX_OPERATIONS_PER_BLOCK
MAX_ENTRY_BYTES = 32 * 1024 * 1024


def encode_body(chain_id, genesis_ms, period, slots):
    """`slots`: 32 of None, VOID, or {publicKey, content, operationIds, operations: {id: (kind, bytes)}}."""
    out = [b"\1", u64(chain_id), u64(genesis_ms), u64(period), bytes([THREAD_COUNT])]
    for block in slots:
        if block is None or block == VOID:
            out.append(b"\0" if block is None else b"\2")
            continue
        ids = block["operationIds"]
        out.append(b"\1" + vbytes(block["publicKey"] + block["content"] + vi(len(ids)) + b"".join(ids)))
        distinct = list(dict.fromkeys(ids))
        out.append(vi(len(distinct)))
        for i in distinct:
            kind, data = block["operations"][i]
            out.append(bytes([kind]) + vbytes(data))
    return b"".join(out)


def decode_body(data):
    r = Reader(data, "CORE_BODY_INVALID")
    try:
        return _decode_body(r)
    except FormatError as e:
        raise FormatError("CORE_BODY_INVALID", str(e)) from None


def _decode_body(r):
    if r.byte() != 1:
        r.fail("format")
    body = {"chainId": r.int(8), "genesisMs": r.int(8), "period": r.int(8), "slots": []}
    if r.byte() != THREAD_COUNT:
        r.fail("thread count")
    for thread in range(THREAD_COUNT):
        flag = r.byte()
        if flag > 2:
            r.fail("slot flag")
        if flag != BLOCK:
            body["slots"].append(VOID if flag == VOID else None)
            continue
        body["slots"].append(_read_block(r, body["chainId"], (body["period"], thread)))
    r.end()
    return body


def _read_block(r, chain_id, slot):
    block = _read_block_head(r, slot)
    distinct, operations, seen = list(dict.fromkeys(block["operationIds"])), {}, r.vi(MAX_OPERATIONS_PER_BLOCK)
    if seen != len(distinct):
        r.fail("distinct operation count")
    for expected in distinct:
        operations[expected] = _read_body_operation(r, expected, chain_id)
    block["operations"] = operations
    return block


def _read_block_head(r, slot):
    block = Reader(r.vbytes(MAX_HEAD_BYTES), r.code)
    public_key, start = block.versioned(32), block.at
    header = read_header(block)
    content = block.data[start:block.at]
    ids = [block.versioned(32) for _ in range(block.vi(MAX_OPERATIONS_PER_BLOCK))]
    block.end()
    if header["slot"] != slot:
        r.fail("header of another slot")
    if list_hash(ids) != header["listHash"]:
        r.fail("operation list does not match the header")
    return {"publicKey": public_key, "content": content, "header": header, "operationIds": ids, "id": b"\0" + blake3(public_key + content)}


def _read_body_operation(r, expected, chain_id):
    """(kind, bytes) of one operation that the block lists by this id."""
    kind = r.byte()
    if kind not in (1, 2):
        r.fail("operation kind")
    raw = r.vbytes(MAX_ENTRY_BYTES)
    _check_body_operation(raw, kind, expected, chain_id, r)
    return kind, raw


def _check_body_operation(raw, kind, expected, chain_id, outer):
    op_reader = Reader(raw, outer.code)
    public_key, start = op_reader.versioned(32), op_reader.at
    op = read_operation(op_reader)
    content = raw[start:op_reader.at]
    if kind == 1:
        op_reader.end()
        if operation_id(chain_id, public_key, content) != expected:
            outer.fail("operation does not hash to its id")
        return
    size = op_reader.vi()
    op_reader.end()
    if op["type"] != "executeSC":
        outer.fail("only ExecuteSC can be not reproducible")
    keys = [k for k, _ in op["datastore"]]
    if any(a >= b for a, b in zip(keys, keys[1:])):
        outer.fail("keys not ascending")
    # Two honest machines must write the same bytes: kind 2 is only for what cannot be kind 1.
    if operation_id(chain_id, public_key, content) == expected or reordered_content(chain_id, public_key, op, expected, size):
        outer.fail("operation is reproducible")


def encode_seals(chain_id, genesis_ms, period, slots):
    out = [b"\1", u64(chain_id), u64(genesis_ms), u64(period)]
    for block in slots:
        if block is None or block == VOID:
            continue
        out.append(block["signature"][1:])
        out += [block["signatures"][i][1:] for i in dict.fromkeys(block["operationIds"])]
    return b"".join(out)


def decode_seals(data, body):
    """[(header signature, [operation signatures])] per block of `body`."""
    r = Reader(data, "CORE_SEALS_INVALID")
    if r.byte() != 1:
        r.fail("format")
    if (r.int(8), r.int(8), r.int(8)) != (body["chainId"], body["genesisMs"], body["period"]):
        r.fail("SEALS of another period")
    out = [(r.take(64), [r.take(64) for _ in block["operations"]]) for block in body["slots"] if isinstance(block, dict)]
    r.end()
    return out


def check_seals(body, seals):
    """Whether every signature of decoded SEALS verifies over the ids of the decoded BODY."""
    blocks = [b for b in body["slots"] if isinstance(b, dict)]
    for block, (signature, operation_signatures) in zip(blocks, seals):
        digest = header_signed_hash(block["publicKey"], block["header"]["slot"], block["id"][1:])
        if not ed25519_verify(block["publicKey"][1:], digest, signature):
            return False
        for (i, (_, raw)), sig in zip(block["operations"].items(), operation_signatures):
            if not ed25519_verify(raw[1:33], i[1:], sig):
                return False
    return True


def split_point(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def leaf_hash(data):
    return sha256(b"\0" + data)


def node_hash(left, right):
    return sha256(b"\1" + left + right)


def tree_root(hashes):
    """RFC 6962 over leaf hashes; at least one."""
    if len(hashes) == 1:
        return hashes[0]
    k = split_point(len(hashes))
    return node_hash(tree_root(hashes[:k]), tree_root(hashes[k:]))


def tree_path(hashes, index):
    if len(hashes) == 1:
        return []
    k = split_point(len(hashes))
    if index < k:
        return tree_path(hashes[:k], index) + [tree_root(hashes[k:])]
    return tree_path(hashes[k:], index - k) + [tree_root(hashes[:k])]


def path_length(index, count):
    length = 0
    while count > 1:
        k = split_point(count)
        index, count = (index, k) if index < k else (index - k, count - k)
        length += 1
    return length


def root_of_path(leaf, index, count, path):
    """Root from a leaf hash and a path of exactly the right length (RFC 9162 2.1.3.2, by recursion)."""
    if count == 1:
        return leaf
    k = split_point(count)
    if index < k:
        return node_hash(root_of_path(leaf, index, k, path[:-1]), path[-1])
    return node_hash(path[-1], root_of_path(leaf, index - k, count - k, path[:-1]))


def verify_path(leaf, index, count, path, root, code="CORE_MERKLE_PROOF_INVALID"):
    if not 0 <= index < count or len(path) != path_length(index, count) or any(len(p) != 32 for p in path):
        raise FormatError(code, "index or length of path")
    if root_of_path(leaf, index, count, path) != root:
        raise FormatError(code, "root")


def data_tree_root(data):
    return tree_root([leaf_hash(data[i:i + LEAF_BYTES]) for i in range(0, len(data), LEAF_BYTES)])


def chunk_id_of(byte_length, root):
    return sha256(b"\2" + u32(byte_length) + root)


def chunk_id(data):
    return chunk_id_of(len(data), data_tree_root(data))


def cut(body, size=CHUNK_BYTES):
    return [body[i:i + size] for i in range(0, len(body), size)]


def period_root(chain_id, genesis_ms, period, bitmap, chunk_ids):
    tree = tree_root([leaf_hash(c) for c in chunk_ids])
    return sha256(b"\3" + u64(chain_id) + u64(genesis_ms) + u64(period) + u32(bitmap) + u32(len(chunk_ids)) + tree)


def era_root(chain_id, genesis_ms, era, total_bytes, total_chunks, period_roots):
    tree = tree_root([leaf_hash(p) for p in period_roots])
    return sha256(b"\4" + u64(chain_id) + u64(genesis_ms) + u64(era) + u64(total_bytes) + u64(total_chunks) + tree)


def encode_manifest(m):
    out = bytes([1, 0]) + u64(m["chainId"]) + u64(m["genesisMs"]) + u64(m["period"]) + u32(m["bitmap"])
    return out + u32(len(m["chunks"])) + b"".join(u32(n) + c for n, c in m["chunks"])


def decode_manifest(data, chunk_bytes=CHUNK_BYTES):
    r = Reader(data, "CORE_MANIFEST_INVALID")
    if r.byte() != 1:
        r.fail("version")
    if r.byte() != 0:
        r.fail("codec")
    m = {"chainId": r.int(8), "genesisMs": r.int(8), "period": r.int(8), "bitmap": r.int(4)}
    count = r.int(4)
    if count == 0 or count * 36 != len(data) - r.at:
        r.fail("chunk count")
    m["chunks"] = [(r.int(4), r.take(32)) for _ in range(count)]
    r.end()
    if any(n != chunk_bytes for n, _ in m["chunks"][:-1]) or not 1 <= m["chunks"][-1][0] <= chunk_bytes:
        r.fail("chunk length")
    return m


def bitmap_of(slots):
    return sum(1 << t for t, block in enumerate(slots) if isinstance(block, dict))


# --------------------------------------------------------------------------------------------- placement, challenges

HASH_SLOTS = 16384
LN2 = 0.6931471805599453
MAX_SAMPLE_CHUNK_BYTES = 1_048_576


def hash_slot(chunk):
    return int.from_bytes(chunk, "big") % HASH_SLOTS


_tickets = {}


def ticket_stream(address):
    if address not in _tickets:
        _tickets[address] = hashlib.shake_128(b"massa-storage/placement/1" + address.encode()).digest(8 * HASH_SLOTS)
    return _tickets[address]


def ticket(address, slot):
    return int.from_bytes(ticket_stream(address)[8 * slot:8 * slot + 8], "big") >> 12


def natural_log(v):
    f, e = math.frexp(v)  # 0.5 <= f < 1
    f, e = f * 2, e - 1
    s = (f - 1) / (f + 1)
    z = s * s
    series = 1 / 19 + z / 21
    for odd in (17, 15, 13, 11, 9, 7, 5, 3):
        series = 1 / odd + z * series
    return e * LN2 + 2 * s * (1 + z * series)


def score(address, placement_gb, slot):
    return (52 * LN2 - natural_log(ticket(address, slot) + 0.5)) / placement_gb


def rank(nodes, slot):
    """Addresses of [(address, GB)] in ascending score; nodes with 0 GB are left out."""
    return [a for _, a in sorted((score(a, gb, slot), a) for a, gb in nodes if gb)]


def double_hex(value):
    return struct.pack(">d", value).hex()


def placement_root(chain_id, genesis_ms, era, holders):
    """`holders`: 16,384 lists of addresses in order of rank."""
    leaves = []
    for slot, addresses in enumerate(holders):
        data = u16(slot) + bytes([len(addresses)])
        leaves.append(leaf_hash(data + b"".join(bytes([len(a)]) + a.encode() for a in addresses)))
    return sha256(b"\6" + u64(chain_id) + u64(genesis_ms) + u64(era) + tree_root(leaves))


def challenge_seed(c, label="challenge"):
    return sha256(f"massa-storage/{label}/1".encode() + u64(c["chainId"]) + string(c["contract"]) + string(c["challengeId"])
                  + string(c["node"]) + c["chunkId"] + u64(c["nonce"]) + u64(c["issuedPeriod"]))


def sample_index(seed, i, leaf_count):
    return int.from_bytes(sha256(seed + u32(i))[:16], "big") % leaf_count


def leaf_count_of(byte_length):
    return -(-byte_length // LEAF_BYTES)


def make_proof(data, seed, samples):
    hashes = [leaf_hash(data[i:i + LEAF_BYTES]) for i in range(0, len(data), LEAF_BYTES)]
    out = u32(len(data)) + tree_root(hashes)
    for i in range(samples):
        index = sample_index(seed, i, len(hashes))
        out += data[index * LEAF_BYTES:(index + 1) * LEAF_BYTES] + b"".join(tree_path(hashes, index))
    return out


def verify_proof(chunk, seed, samples, data, longest=MAX_SAMPLE_CHUNK_BYTES):
    r = Reader(data, "CORE_PROOF_INVALID")
    byte_length, root = r.int(4), r.take(32)
    if not 1 <= byte_length <= longest:
        r.fail("byte length")
    if chunk_id_of(byte_length, root) != chunk:
        r.fail("chunk id")
    count = leaf_count_of(byte_length)
    for i in range(samples):
        index = sample_index(seed, i, count)
        leaf = r.take(min(LEAF_BYTES, byte_length - index * LEAF_BYTES))
        path = [r.take(32) for _ in range(path_length(index, count))]
        verify_path(leaf_hash(leaf), index, count, path, root, r.code)
    r.end()


def proof_text(seed, proof, label="proof"):
    return f"massa-storage/{label}/1:" + sha256(seed + proof).hex()


def draw_text(period, block_ids):
    return "massa-storage/draw/1:" + sha256(u64(period) + b"".join(block_ids)).hex()


def draw_number(draw, i):
    return int.from_bytes(sha256(draw + u32(i)), "big")


def era_text(chain_id, contract, era, root, total_bytes, total_chunks, next_placement_root):
    return "massa-storage/era/1:" + sha256(u64(chain_id) + string(contract) + u64(era) + root + u64(total_bytes)
                                           + u64(total_chunks) + next_placement_root).hex()


def sign_text(secret, text):
    """A text signed as Massa's own check takes it: Ed25519 over BLAKE3 of the UTF-8."""
    return ed25519_sign(secret, blake3(text.encode()))


def holder_of_byte(sizes, byte):
    for i, size in enumerate(sizes):
        if byte < size:
            return i
        byte -= size
    raise ValueError("byte past the end")


def select(draw, holders, eras):
    """The node and chunk that a draw names. `holders`: {address: set of hash slots}; `eras`: ascending
    [{era, bytes, chunks: [{period, index, bytes, chunkId}]}]. None when 64 tries find nothing."""
    nodes = sorted(holders, key=lambda a: a.encode())
    node = nodes[draw_number(draw, 0) % len(nodes)]
    for t in range(64):
        era = eras[holder_of_byte([e["bytes"] for e in eras], draw_number(draw, 1 + 2 * t) % sum(e["bytes"] for e in eras))]
        chunks = sorted((c for c in era["chunks"] if hash_slot(c["chunkId"]) in holders[node]),
                        key=lambda c: (c["period"], c["index"]))
        if chunks:
            sizes = [c["bytes"] for c in chunks]
            return node, t, era["era"], chunks[holder_of_byte(sizes, draw_number(draw, 2 + 2 * t) % sum(sizes))]
    return node, None, None, None


# ------------------------------------------------------------------------------------------------ proofs of answers

PROOF_FORMAT = "massa-storage/proof/1"
MAX_PROOF_CHARACTERS = 32 * 1024 * 1024
MAX_OTHER_CHARACTERS = 1024 * 1024
MAX_PROOF_DEPTH = 8
MAX_PERIOD_CHUNKS = 16384
MAX_CHUNK_LEAVES = CHUNK_BYTES // LEAF_BYTES
SAFE_INTEGER = 2**53 - 1
MAX_ATTESTATIONS = 16
MAX_ATTESTED_BYTES = 4 * 1024 * 1024
HEX = frozenset("0123456789abcdef")


def refuse(reason, why):
    raise FormatError("CORE_READING_" + reason, why)


def parse_proof_json(text):
    """JSON of a stranger: what it is made of is counted before anything is built."""
    if len(text) > MAX_PROOF_CHARACTERS:
        refuse("TOO_LARGE", "characters")
    if "\\" in text:
        refuse("MALFORMED", "escape")
    depth = others = at = 0
    while at < len(text):
        if text[at] == '"':
            at = text.find('"', at + 1)
            if at < 0:
                refuse("MALFORMED", "a text does not end")
        else:
            others += 1
            depth += (text[at] in "{[") - (text[at] in "}]")
            if others > MAX_OTHER_CHARACTERS or depth > MAX_PROOF_DEPTH:
                refuse("TOO_LARGE", "parts or depth")
        at += 1

    def integer(digits):
        return math.nan if digits.startswith("-") else int(digits)  # no number of a proof is negative, not even zero

    def constant(name):
        raise ValueError(name)

    try:
        return json.loads(text, parse_int=integer, parse_constant=constant)
    except ValueError as e:
        refuse("MALFORMED", str(e))


class ProofForm:
    """Takes each value of a proof in the one form that it may have."""

    @staticmethod
    def object(value, fields):
        if not isinstance(value, dict) or set(value) != set(fields):
            refuse("MALFORMED", f"fields are not {fields}")
        return [value[f] for f in fields]

    @staticmethod
    def array(value, highest):
        if not isinstance(value, list):
            refuse("MALFORMED", "no array")
        if len(value) > highest:
            refuse("TOO_LARGE", f"{len(value)} entries")
        return value

    @staticmethod
    def integer(value, highest):
        if isinstance(value, float) and value.is_integer() and math.copysign(1, value) > 0:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= min(highest, SAFE_INTEGER):
            refuse("MALFORMED", "integer")
        return value

    @staticmethod
    def decimal(value):
        if not isinstance(value, str) or not value.isascii() or not value.isdigit() or len(value) > 20 or str(int(value)) != value or int(value) >= 2**64:
            refuse("MALFORMED", "decimal text")
        return int(value)

    @staticmethod
    def hex(value, size):
        if not isinstance(value, str) or len(value) != 2 * size or not HEX.issuperset(value):
            refuse("MALFORMED", f"not {size} bytes of hex")
        return bytes.fromhex(value)

    @staticmethod
    def base64(value, highest):
        if not isinstance(value, str) or not value:
            refuse("MALFORMED", "base64")
        if len(value) > -(-highest // 3) * 4:
            refuse("TOO_LARGE", "base64")
        try:
            data = base64.b64decode(value, validate=True)
        except ValueError:
            refuse("MALFORMED", "base64")
        if base64.b64encode(data).decode() != value:
            refuse("MALFORMED", "base64 of other bits")
        return data

    @staticmethod
    def text(value):
        if not isinstance(value, str):
            refuse("MALFORMED", "text")
        return value

    @classmethod
    def hashes(cls, value, highest):
        return [cls.hex(h, 32) for h in cls.array(value, highest)]


def parse_proof(value):
    form = ProofForm
    (name, chain_id, genesis_ms, period, bitmap, chunk_ids, thread, chunks, era, seals) = form.object(
        parse_proof_json(value) if isinstance(value, str) else value,
        ("format", "chainId", "genesisTimestampMs", "period", "bitmap", "chunkIds", "thread", "chunks", "era", "seals"))
    if name != PROOF_FORMAT:
        refuse("MALFORMED", "format")
    proof = {"chunkIds": form.hashes(chunk_ids, MAX_PERIOD_CHUNKS)}
    if not proof["chunkIds"]:
        refuse("MALFORMED", "no chunk ids")
    proof["chainId"], proof["genesisMs"] = form.decimal(chain_id), form.decimal(genesis_ms)
    proof["period"] = form.integer(period, SAFE_INTEGER)
    proof["bitmap"] = int.from_bytes(form.hex(bitmap, 4), "big")
    proof["thread"] = None if thread is None else form.integer(thread, THREAD_COUNT - 1)
    proof["chunks"] = [_parse_proof_chunk(c) for c in form.array(chunks, MAX_PERIOD_CHUNKS)]
    proof["era"] = proof["seals"] = None
    if era is not None:
        number, total_bytes, total_chunks, path = form.object(era, ("era", "totalBytes", "totalChunks", "path"))
        path = form.hashes(path, 7)
        if len(path) != 7:
            refuse("MALFORMED", "length of path")
        proof["era"] = form.integer(number, SAFE_INTEGER), form.decimal(total_bytes), form.decimal(total_chunks), path
    if seals is not None:
        header, operations = form.object(seals, ("header", "operations"))
        proof["seals"] = form.hex(header, 64), [form.hex(o, 64) for o in form.array(operations, MAX_OPERATIONS_PER_BLOCK)]
    return proof


def _parse_proof_chunk(value):
    form = ProofForm
    index, byte_length, runs, siblings = form.object(value, ("index", "byteLength", "runs", "siblings"))
    chunk = {"index": form.integer(index, MAX_PERIOD_CHUNKS - 1), "byteLength": form.integer(byte_length, CHUNK_BYTES), "runs": []}
    for run in form.array(runs, MAX_CHUNK_LEAVES):
        first, data = form.object(run, ("firstLeaf", "bytes"))
        chunk["runs"].append((form.integer(first, MAX_CHUNK_LEAVES - 1), form.base64(data, CHUNK_BYTES)))
    chunk["siblings"] = form.hashes(siblings, MAX_CHUNK_LEAVES)
    return chunk


def root_of_leaves(count, known, siblings):
    """Root of a tree of `count` leaves from the hashes of some, {index: hash}, and of the subtrees that have none of them."""
    rest = list(reversed(siblings))

    def root(start, end):
        if not any(i in known for i in range(start, end)):
            if not rest:
                raise ValueError("too few siblings")
            return rest.pop()
        if end - start == 1:
            return known[start]
        middle = start + split_point(end - start)
        left = root(start, middle)
        return node_hash(left, root(middle, end))

    out = root(0, count)
    if rest:
        raise ValueError("too many siblings")
    return out


def check_proof_chunk(chunk, wanted):
    """{leaf: bytes} of the leaves shown, when they lead to the chunk id."""
    leaves, end, size = {}, None, chunk["byteLength"]
    count = leaf_count_of(size)
    for first, data in chunk["runs"]:
        pieces = cut(data, LEAF_BYTES)
        if len(data) % LEAF_BYTES and first * LEAF_BYTES + len(data) != size:
            refuse("CHUNK_INVALID", "not whole leaves")
        # Runs that touch are one: a proof has one form.
        if end is not None and first <= end or first + len(pieces) > count:
            refuse("CHUNK_INVALID", "order of leaves")
        leaves.update(enumerate(pieces, first))
        end = first + len(pieces)
    if not leaves:
        refuse("CHUNK_INVALID", "no leaves")
    try:
        root = root_of_leaves(count, {i: leaf_hash(data) for i, data in leaves.items()}, chunk["siblings"])
    except ValueError as e:
        refuse("CHUNK_INVALID", str(e))
    if chunk_id_of(size, root) != wanted:
        refuse("CHUNK_INVALID", "chunk id")
    return leaves


class ShownBody:
    """BODY of which some leaves are known, read from the beginning by its lengths."""

    def __init__(self, proof, checks):
        chunks = proof["chunks"]
        if not chunks or chunks[0]["index"] != 0:
            refuse("LEAVES_MISSING", "beginning of BODY")
        size, last, before = chunks[0]["byteLength"], len(proof["chunkIds"]) - 1, -1
        self.size, self.leaves, self.at = size * (last + 1), {}, 0
        for chunk in chunks:
            index, length = chunk["index"], chunk["byteLength"]
            if not before < index <= last or (length > size if index == last else length != size) or last and size % LEAF_BYTES:
                refuse("CHUNK_INVALID", "order or length of chunks")
            for leaf, data in check_proof_chunk(chunk, proof["chunkIds"][index]).items():
                self.leaves[index * size // LEAF_BYTES + leaf] = data
            checks.append(("chunk", proof["chunkIds"][index].hex()))
            if index == last:
                self.size += length - size
            before = index

    def skip(self, count):
        if count > self.size - self.at:
            refuse("BODY_INVALID", "truncated")
        self.at += count

    def since(self, start):
        first = start // LEAF_BYTES
        parts = [self.leaves.get(i) for i in range(first, -(-self.at // LEAF_BYTES))]
        if None in parts:
            refuse("LEAVES_MISSING", f"leaf {first + parts.index(None)} of BODY")
        return b"".join(parts)[start - first * LEAF_BYTES:self.at - first * LEAF_BYTES]

    def byte(self):
        self.skip(1)
        return self.since(self.at - 1)[0]

    def vi(self, highest):
        value = shift = 0
        while shift < 56:
            byte = self.byte()
            value |= (byte & 127) << shift
            if not byte & 128:
                if byte == 0 and shift or value > highest:
                    break
                return value
            shift += 7
        refuse("BODY_INVALID", "length")

    def pass_operation(self):
        if self.byte() not in (1, 2):
            refuse("BODY_INVALID", "operation kind")
        self.skip(self.vi(MAX_ENTRY_BYTES))

    def pass_head(self):
        self.skip(self.vi(MAX_HEAD_BYTES))

    def pass_operations(self):
        count = self.vi(MAX_OPERATIONS_PER_BLOCK)
        for _ in range(count):
            self.pass_operation()
        return count

    def pass_flag(self, proof, thread):
        flag = self.byte()
        if flag > 2 or (flag == BLOCK) != bool(proof["bitmap"] >> thread & 1):
            refuse("BODY_INVALID", "slot flag")
        return flag == BLOCK

    def walk_to(self, proof, thread):
        self.skip(26)
        head = b"\1" + u64(proof["chainId"]) + u64(proof["genesisMs"]) + u64(proof["period"]) + bytes([THREAD_COUNT])
        if self.since(0) != head:
            refuse("BODY_INVALID", "head")
        for before in range(thread):
            if self.pass_flag(proof, before):
                self.pass_head()
                self.pass_operations()
        self.pass_flag(proof, thread)


def in_body(read, data, *args):
    """What `read` makes of bytes of BODY, all of them."""
    reader = Reader(data, "CORE_READING_BODY_INVALID")
    try:
        out = read(reader, *args)
        reader.end()
    except FormatError as e:
        refuse("BODY_INVALID", str(e))
    return out


def verify_answer(value, question, trusted):
    """{record, checks, gaps, trust} of a proof that is right for the question; raises FormatError otherwise."""
    result, shown = verify_record(value, question, trusted)
    if "block" in shown:
        block, operations = shown["block"], shown["operations"]
        result["record"] = {"block": text_encode("blockId", block["id"]), "slot": list(shown["slot"]),
                            "operations": [sha256(raw).hex() for _, raw in operations.values()]}
    return result


def verify_record(value, question, trusted):
    """The same without the record, and the record itself: what the proof shows, decoded."""
    kind = question["kind"]
    wanted = text_decode(kind + "Id", question["id"]) if kind in ("block", "operation", "endorsement") else None
    proof, checks, gaps = parse_proof(value), [], []
    network, slot = trusted.get("network"), question.get("slot")
    if network:
        if (proof["chainId"], proof["genesisMs"]) != (int(network["chainId"]), int(network["genesisTimestampMs"])):
            refuse("NETWORK_OTHER", "network")
        checks.append(("network", f"{proof['chainId']}/{proof['genesisMs']}"))
    period = slot["period"] if slot else question.get("period", proof["period"])
    if period != proof["period"] or kind == "block-at" and slot["thread"] != proof["thread"]:
        refuse("SLOT_OTHER", "period or thread")
    trust = check_proof_roots(proof, trusted, checks, gaps)
    if kind in ("slot-empty", "period"):
        if proof["thread"] is not None or proof["chunks"] or proof["seals"]:
            refuse("MALFORMED", "more than was asked for")
        if kind == "slot-empty":
            if proof["bitmap"] >> slot["thread"] & 1:
                refuse("SLOT_TAKEN", "bitmap")
            checks.append(("bitmap", f"{proof['bitmap']:08x}: nothing in thread {slot['thread']}"))
        return {"checks": checks, "gaps": gaps, "trust": trust}, {"proof": proof}
    shown = check_proof_block(proof, kind, wanted, checks, gaps)
    return {"checks": checks, "gaps": gaps, "trust": trust}, shown


def check_proof_roots(proof, trusted, checks, gaps):
    number, period = proof["period"] // PERIODS_PER_ERA, proof["period"]
    root = period_root(proof["chainId"], proof["genesisMs"], period, proof["bitmap"], proof["chunkIds"])
    checks.append(("period-root", root.hex()))
    top = None
    if proof["era"]:
        era, total_bytes, total_chunks, path = proof["era"]
        if era != number:
            refuse("ERA_OTHER", "era")
        tree = root_of_path(leaf_hash(root), period % PERIODS_PER_ERA, PERIODS_PER_ERA, path)
        top = sha256(b"\4" + u64(proof["chainId"]) + u64(proof["genesisMs"]) + u64(era) + u64(total_bytes) + u64(total_chunks) + tree)
    trust = trust_of(trusted, period, root, top)
    if trust == "era-root":
        checks.append(("era-root", top.hex()))
    else:
        gaps.append("trusted-era-root" if top else "era-root")
    if trust == "none":
        gaps.append("trusted-root")
    else:
        checks.append(("trusted-root", trust))
    return trust


def check_proof_block(proof, kind, wanted, checks, gaps):
    thread = proof["thread"]
    if thread is None:
        refuse("MALFORMED", "no thread")
    if not proof["bitmap"] >> thread & 1:
        refuse("SLOT_EMPTY", "bitmap")
    slot, body, endorsement = (proof["period"], thread), ShownBody(proof, checks), None
    body.walk_to(proof, thread)
    start = body.at
    body.pass_head()
    if kind == "operation":
        block = in_body(_read_block_head, body.since(start), slot)
        distinct = list(dict.fromkeys(block["operationIds"]))
        if wanted not in distinct:
            refuse("ID_OTHER", "operation is not listed")
        if body.vi(MAX_OPERATIONS_PER_BLOCK) != len(distinct):
            refuse("BODY_INVALID", "operation count")
        for _ in range(distinct.index(wanted)):
            body.pass_operation()
        start = body.at
        body.pass_operation()
        shown = {wanted: in_body(_read_body_operation, body.since(start), wanted, proof["chainId"])}
    elif kind == "endorsement":
        block, shown = in_body(_read_block_head, body.since(start), slot), {}
        endorsement = _find_endorsement(block, slot, wanted)
    else:
        body.pass_operations()
        block = in_body(_read_block, body.since(start), proof["chainId"], slot)
        shown = block["operations"]
        if kind == "block" and block["id"] != wanted:
            refuse("ID_OTHER", "another block")
    if block["header"]["version"] > 1:
        refuse("BODY_INVALID", "header version")
    checks.append(("block-id", text_encode("blockId", block["id"])))
    checks.append(("operation-list", f"{len(block['operationIds'])} listed, {block['header']['listHash'].hex()}"))
    checks.append(("position", f"thread {thread}, bytes {start} to {body.at - 1} of BODY"))
    bound = sum(k == 1 for k, _ in shown.values())
    if kind == "endorsement":
        checks.append(("endorsement-id", text_encode("endorsementId", wanted)))
        signed = endorsement_signed_hash(endorsement["publicKey"], slot, endorsement["index"], wanted[1:])
        if massa_signature(endorsement["publicKey"], signed, endorsement["signature"][1:]):
            checks.append(("endorsement-signature", text_encode("publicKey", endorsement["publicKey"])))
        else:
            gaps.append("endorsement-signature")
    elif kind != "operation":
        checks.append(("operation-ids", f"{bound} of {len(shown)} recomputed"))
    elif bound:
        checks.append(("operation-id", text_encode("operationId", wanted)))
        expires = parse_operation(shown[wanted][1][33:])["expirePeriod"]
        if not expires - OPERATION_VALIDITY_PERIODS <= slot[0] <= expires:
            refuse("SLOT_OTHER", "the operation cannot be in this period")
        checks.append(("validity", f"until period {expires}"))
    if bound < len(shown):
        gaps.append("reproducible-content")
    if proof["seals"] is None:
        gaps.append("signatures")
    else:
        _check_proof_seals(proof["seals"], slot, block, shown, checks)
    header_seal, operation_seals = proof["seals"] or (None, None)
    return {"block": block, "slot": slot, "operations": shown, "endorsement": endorsement, "seal": header_seal, "operationSeals": operation_seals}


def _find_endorsement(block, slot, wanted):
    for e in block["header"]["endorsements"]:
        content = endorsement_content(slot, e["index"], block["header"]["parents"][slot[1]])
        if b"\0" + endorsement_id(e["publicKey"], content) == wanted:
            return e
    refuse("ID_OTHER", "endorsement is not in the header")


def massa_signature(public_key, digest, signature):
    """Whether a node may have accepted it: single signatures are checked strictly, batches by ZIP-215."""
    return ed25519_verify(public_key[1:], digest, signature) or ed25519_verify_zip215(public_key[1:], digest, signature)


def _check_proof_seals(seals, slot, block, shown, checks):
    header, operations = seals
    if len(operations) != len(shown):
        refuse("SIGNATURE_INVALID", "count")
    signed = [(block["publicKey"], header_signed_hash(block["publicKey"], slot, block["id"][1:]), header)]
    signed += [(raw[:33], i[1:], signature) for (i, (_, raw)), signature in zip(shown.items(), operations)]
    for public_key, digest, signature in signed:
        if not massa_signature(public_key, digest, signature):
            refuse("SIGNATURE_INVALID", "signature")
    checks.append(("header-signature", text_encode("publicKey", block["publicKey"])))
    checks.append(("operation-signatures", f"{len(operations)} of {len(operations)}"))


# An operation may be included from so many periods before it expires.
OPERATION_VALIDITY_PERIODS = 10
COMPLETENESS_FORMAT = "massa-storage/completeness/1"
MAX_CERTIFICATE_PERIODS = 512 * PERIODS_PER_ERA
CERTIFIED_PERIOD = struct.Struct(">II32s")


def parse_completeness(value):
    form = ProofForm
    (name, chain_id, genesis_ms, first, last, periods, eras) = form.object(
        parse_proof_json(value) if isinstance(value, str) else value,
        ("format", "chainId", "genesisTimestampMs", "from", "to", "periods", "eras"))
    if name != COMPLETENESS_FORMAT:
        refuse("MALFORMED", "format")
    out = {"chainId": form.decimal(chain_id), "genesisMs": form.decimal(genesis_ms),
           "from": form.integer(first, SAFE_INTEGER), "to": form.integer(last, SAFE_INTEGER)}
    if out["to"] < out["from"]:
        refuse("MALFORMED", "range")
    data = form.base64(periods, MAX_CERTIFICATE_PERIODS * CERTIFIED_PERIOD.size)
    if len(data) != (out["to"] - out["from"] + 1) * CERTIFIED_PERIOD.size:
        refuse("PERIODS_MISSING", "not each period once")
    eras = form.array(eras, MAX_CERTIFICATE_PERIODS // PERIODS_PER_ERA + 1)
    if len(eras) != out["to"] // PERIODS_PER_ERA - out["from"] // PERIODS_PER_ERA + 1:
        refuse("PERIODS_MISSING", "not each era once")
    out["periods"] = list(CERTIFIED_PERIOD.iter_unpack(data))
    if not all(1 <= count <= MAX_PERIOD_CHUNKS for _, count, _ in out["periods"]):
        refuse("MALFORMED", "chunk count")
    out["eras"] = []
    for era in eras:
        if era is None:
            out["eras"].append(None)
            continue
        number, total_bytes, total_chunks, siblings = form.object(era, ("era", "totalBytes", "totalChunks", "siblings"))
        out["eras"].append((form.integer(number, SAFE_INTEGER), form.decimal(total_bytes), form.decimal(total_chunks), form.hashes(siblings, PERIODS_PER_ERA)))
    return out


def verify_completeness(value, question, trusted):
    """Roots and trust of each period of a certificate that has each of them once."""
    c, network = parse_completeness(value), trusted.get("network")
    if network and (c["chainId"], c["genesisMs"]) != (int(network["chainId"]), int(network["genesisTimestampMs"])):
        refuse("NETWORK_OTHER", "network")
    if (c["from"], c["to"]) != (question["from"], question["to"]):
        refuse("SLOT_OTHER", "range")
    roots = {}
    for period, (bitmap, count, tree) in enumerate(c["periods"], c["from"]):
        roots[period] = sha256(b"\3" + u64(c["chainId"]) + u64(c["genesisMs"]) + u64(period) + u32(bitmap) + u32(count) + tree)
    tops = {}
    for number, era in enumerate(c["eras"], c["from"] // PERIODS_PER_ERA):
        if era is None:
            continue
        said, total_bytes, total_chunks, siblings = era
        if said != number:
            refuse("ERA_OTHER", "era")
        start = number * PERIODS_PER_ERA
        known = {i: leaf_hash(roots[start + i]) for i in range(PERIODS_PER_ERA) if start + i in roots}
        try:
            tree = root_of_leaves(PERIODS_PER_ERA, known, siblings)
        except ValueError as e:
            refuse("PERIODS_MISSING", str(e))
        tops[number] = sha256(b"\4" + u64(c["chainId"]) + u64(c["genesisMs"]) + u64(number) + u64(total_bytes) + u64(total_chunks) + tree)
    trust = [trust_of(trusted, period, roots[period], tops.get(period // PERIODS_PER_ERA)) for period in roots]
    blocks = sum(bitmap.bit_count() for bitmap, _, _ in c["periods"])
    return {"roots": [r.hex() for r in roots.values()], "eras": {n: [top.hex(), str(n) in trusted.get("eraRoots", {})] for n, top in tops.items()},
            "trust": trust, "blocks": blocks}


def trust_of(trusted, period, root, top):
    """What of the roots that the reader knows a period leads to; it has to lead to those that he knows."""
    known_top = trusted.get("eraRoots", {}).get(str(period // PERIODS_PER_ERA))
    known = trusted.get("periodRoots", {}).get(str(period))
    if known and known != root.hex() or known_top and top and known_top != top.hex() or known_top and not top and not known:
        refuse("ROOT_UNTRUSTED", "root")
    return "era-root" if top and known_top else "period-root" if known else "none"


def verify_outcomes(value, chain_id, genesis_ms, wanted):
    """[(outcome, (period, thread), signer)] of attestations of what became of an operation, by its id."""
    said = []
    for one in ProofForm.array(value, MAX_ATTESTATIONS):
        period, results, key, signature = ProofForm.object(one, ("period", "results", "publicKey", "signature"))
        period, results = ProofForm.integer(period, SAFE_INTEGER), ProofForm.base64(results, MAX_ATTESTED_BYTES)
        signer = ProofForm.text(key)
        try:
            key, signature = text_decode("publicKey", signer), text_decode("signature", ProofForm.text(signature))
        except FormatError as e:
            refuse("MALFORMED", f"key or signature: {e}")
        digest = sha256(u64(chain_id) + u64(genesis_ms) + u64(period) + results)
        text = "massa-storage/execution/1:" + digest.hex()
        if not ed25519_verify(key[1:], blake3(text.encode()), signature[1:]):
            refuse("SIGNATURE_INVALID", "execution results")
        found = find_outcome(results, wanted)
        if not found:
            refuse("ID_OTHER", "results say nothing of the operation")
        said.append((found[1], (period, found[0]), signer))
    if len({signer for _, _, signer in said}) < len(said):
        refuse("MALFORMED", "one archiver attests twice")
    return said


def find_outcome(results, wanted):
    """(thread, outcome) of an operation in execution results of a period; None where they say nothing of it."""
    r, found = Reader(results, "CORE_READING_MALFORMED"), None
    if r.byte() != 1:
        refuse("MALFORMED", "results of an unknown format")
    for thread in range(THREAD_COUNT):
        data = r.take(r.int(4))
        if not data:
            continue
        slot = Reader(data, "CORE_READING_MALFORMED")
        if slot.byte() != 1:
            refuse("MALFORMED", "results of an unknown format")
        slot.take(2)
        slot.take(slot.int(4))
        before = b""
        for _ in range(slot.int(4)):
            name, outcome = slot.take(33), slot.byte()
            if name <= before:
                refuse("MALFORMED", "outcomes of a slot do not ascend by id, each once")
            if name == wanted and outcome in (1, 2):
                found = found or (thread, OUTCOMES[outcome])
            before = name
    r.end()
    return found


def proofs_command(args):
    """A line of JSON for each line {proof, question, trusted} of the file: what was verified, or the code of the refusal.

    A question of kind `periods`, from and to, is answered by a certificate of completeness.
    """
    refused = 0
    with open(args.file, encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            try:
                verify = verify_completeness if case["question"]["kind"] == "periods" else verify_answer
                print(json.dumps(verify(case["proof"], case["question"], case.get("trusted", {}))))
            except FormatError as e:
                refused += 1
                print(json.dumps({"refused": e.code}))
    return 1 if refused else 0


# ------------------------------------------------------------------------------------ recordings of a node, to periods

FINAL_OUTPUT = 2
FINAL_STATUS = 2


def recording_lines(path):
    """JSON lines of a recording; what a killed recorder left half written is skipped, and said."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    stream = gzip.open(path, "rb") if packed else open(path, "rb")
    with stream:
        try:
            for number, line in enumerate(stream, 1):
                try:
                    record = json.loads(line)
                except ValueError:
                    print(f"{path}: line {number} is cut off", file=sys.stderr)
                    continue
                yield record
        except (EOFError, zlib.error) as e:
            print(f"{path}: ends early ({e.__class__.__name__})", file=sys.stderr)


class Recording:
    """Everything that one or several recordings of one chain show."""

    def __init__(self, signatures="none"):
        self.signatures = signatures
        self.chain_id = self.genesis_ms = None
        self.last_final = (-1, 0)
        self.headers = {}      # block id -> header, verified
        self.lists = {}        # block id -> operation ids, matching the header's list hash
        self.operations = {}   # operation id -> decoded operation
        self.named_final = {}  # slot -> block id or None, from FINAL messages
        self.status_final = {} # block id -> True, by SearchBlocks or GetBlocks
        self.refused = []
        self.counts = {"signatures": 0, "badEndorsementSignatures": 0, "badDenunciationSignatures": 0}
        self._seen = set()

    def add(self, path):
        chain = genesis = None
        pending = []
        for line in recording_lines(path):
            if "response" in line:
                data = base64.b64decode(line["response"])
                if line["rpc"] == "GetStatus":
                    status = _message(proto(data), 1)
                    chain = _one(status, 12, 0)
                    genesis = _one(_message(_message(status, 11), 1), 1, 0)
                    self._network(path, chain, genesis)
                    self.last_final = max(self.last_final, _proto_slot(_one(status, 8, b"")))
                else:
                    pending.append((line["rpc"], data))
            elif "msg" in line:
                pending.append((line["stream"], base64.b64decode(line["msg"])))
            if chain is not None:  # ids of operations need the chain id
                for name, data in pending:
                    self._message(name, data)
                pending = []
        if chain is None:
            raise NotMassa(f"{path}: no GetStatus answer, so its network is not known")

    def _network(self, path, chain, genesis):
        if (self.chain_id or chain, self.genesis_ms or genesis) != (chain, genesis):
            raise NotMassa(f"{path}: another chain ({chain}, {genesis})")
        self.chain_id, self.genesis_ms = chain, genesis

    def _message(self, name, data):
        handler = {"NewFilledBlocksServer": self._filled, "NewSlotExecutionOutputsServer": self._output,
                   "SearchBlocks": self._search, "GetBlocks": self._blocks, "GetOperations": self._get_operations}.get(name)
        if handler:
            handler(proto(data))

    def _output(self, fields):
        output = _message(fields, 1)
        if _one(output, 1, 0) != FINAL_OUTPUT:
            return
        execution = _message(output, 2)
        slot = _proto_slot(_one(execution, 1, b""))
        block = text_decode("blockId", _text(_message(execution, 2), 1)) if 2 in execution else None
        if self.named_final.setdefault(slot, block) != block:
            raise NotMassa(f"two FINAL messages disagree at slot {slot}")

    def _search(self, fields):
        for info in fields.get(1, []):
            f = proto(info)
            if _one(f, 2, 0) == FINAL_STATUS:
                self.status_final[text_decode("blockId", _text(f, 1))] = True

    def _blocks(self, fields):
        for wrapped in fields.get(1, []):
            f = proto(wrapped)
            block = _message(f, 2)
            ids = [text_decode("operationId", o.decode()) for o in block.get(2, [])]
            header = self._header(_one(block, 1, b""), ids)
            if header and _one(f, 1, 0) == FINAL_STATUS:
                self.status_final[header["id"]] = True

    def _filled(self, fields):
        filled = _message(fields, 1)
        ids = []
        for entry in filled.get(2, []):
            f = proto(entry)
            ids.append(text_decode("operationId", _text(f, 1)))
            if 2 in f:
                self._operation(f[2][-1])
        self._header(_one(filled, 1, b""), ids)

    def _get_operations(self, fields):
        for wrapped in fields.get(1, []):
            self._operation(_one(proto(wrapped), 3, b""))

    def _refuse(self, error):
        self.refused.append(str(error))

    def _wanted(self, digest):
        # The sample is drawn from the id itself, so that every run checks the same share.
        return self.signatures == "all" or self.signatures == "sample" and digest[-1] < 8

    def _header(self, data, ids):
        key = blake3_key(data, ids)
        if key in self._seen:
            f = proto(data)
            return self.headers.get(text_decode("blockId", _text(f, 5)))
        self._seen.add(key)
        try:
            h = decode_proto_header(data)
            if list_hash(ids) != h["listHash"]:
                raise NotMassa("operation list does not match the header")
            if self._wanted(h["hash"]):
                self._check_header_signatures(h)
        except (NotMassa, FormatError) as e:
            self._refuse(e)
            return None
        known = self.headers.setdefault(h["id"], h)
        self.lists.setdefault(h["id"], ids)
        return known

    def _check_header_signatures(self, h):
        self._check(h["publicKey"], header_signed_hash(h["publicKey"], h["slot"], h["hash"]), h["signature"], "header")
        for e in h["endorsements"]:
            i = endorsement_id(e["publicKey"], endorsement_content(e["slot"], e["index"], e["endorsedBlock"]))
            signed = endorsement_signed_hash(e["publicKey"], e["slot"], e["index"], i)
            self.counts["signatures"] += 1
            ok = ed25519_verify(e["publicKey"][1:], signed, e["signature"][1:])
            if text_encode("endorsementId", b"\0" + i) != e["id"]:
                raise NotMassa("endorsement does not hash to its id")
            self.counts["badEndorsementSignatures"] += not ok
        for d in h["denunciations"]:
            for signed, sig in zip(denunciation_signed_hashes(d), (d["signature1"], d["signature2"])):
                self.counts["signatures"] += 1
                self.counts["badDenunciationSignatures"] += not ed25519_verify(d["publicKey"][1:], signed, sig[1:])

    def _check(self, public_key, digest, signature, what):
        self.counts["signatures"] += 1
        if not ed25519_verify(public_key[1:], digest, signature[1:]):
            raise NotMassa(f"signature of a {what}")

    def _operation(self, data):
        key = hashlib.sha256(data).digest()
        if key in self._seen:
            return
        self._seen.add(key)
        try:
            op = decode_proto_operation(data, self.chain_id)
            if op["kind"] == 2 or self._wanted(op["id"]):
                self._check(op["publicKey"], op["id"][1:], op["signature"], "operation")
        except (NotMassa, FormatError) as e:
            self._refuse(e)
            return
        self.operations.setdefault(op["id"], op)

    # -- what became of each slot

    def decide(self):
        """Sets `final` {slot: header}, `missed` {slot} and `genesis_linked`."""
        queue = [b for b in self.named_final.values() if b is not None]
        queue += [b for b in self.status_final if b in self.headers and self.headers[b]["slot"] <= self.last_final]
        ids = set()
        while queue:
            block = queue.pop()
            if block in ids:
                continue
            ids.add(block)
            if block in self.headers:
                queue += self.headers[block]["parents"]
        self.final_ids, self.final = ids, {}
        for block in ids:
            h = self.headers.get(block)
            if h is None or not h["parents"]:
                continue
            if self.final.setdefault(h["slot"], h) is not h:
                raise NotMassa(f"two final blocks at slot {h['slot']}")
        for slot, block in self.named_final.items():
            held = self.final.get(slot)
            if held is not None and held["id"] != block:
                raise NotMassa(f"FINAL message and parents disagree at slot {slot}")
        self._prove_misses()

    def _prove_misses(self):
        period_of = {g: 0 for g in genesis_ids()}
        period_of.update((h["id"], h["slot"][0]) for h in self.final.values())
        thread_of = {g: t for t, g in enumerate(genesis_ids())}
        thread_of.update((h["id"], h["slot"][1]) for h in self.final.values())
        self.missed, linked = set(), set()
        for h in self.final.values():
            index = h["slot"][0] * THREAD_COUNT + h["slot"][1]
            for thread, parent in enumerate(h["parents"]):
                if parent not in period_of:
                    continue
                if thread_of[parent] != thread:
                    raise NotMassa(f"parent of another thread at slot {h['slot']}")
                if parent == genesis_ids()[thread]:
                    linked.add(thread)
                period = period_of[parent] + 1
                while period * THREAD_COUNT + thread + THREAD_COUNT <= index:
                    self.missed.add((period, thread))
                    period += 1
        contradictions = self.missed & set(self.final)
        if contradictions:
            raise NotMassa(f"a final block in a slot proven missed: {sorted(contradictions)[0]}")
        self.genesis_linked = len(linked) == THREAD_COUNT

    def period(self, number):
        """The 32 slots of a period, ready to be encoded; or None when one is not decided or a body is not held."""
        if number == 0:
            return self._genesis_period()
        slots = []
        for thread in range(THREAD_COUNT):
            h = self.final.get((number, thread))
            if h is None:
                if (number, thread) not in self.missed:
                    return None
                slots.append(None)
                continue
            ids = self.lists[h["id"]]
            if any(i not in self.operations for i in ids):
                return None
            ops = {i: self.operations[i] for i in ids}
            slots.append({"publicKey": h["publicKey"], "content": h["content"], "signature": h["signature"],
                          "operationIds": ids, "operations": {i: (o["kind"], o["bytes"]) for i, o in ops.items()},
                          "signatures": {i: o["signature"] for i, o in ops.items()}})
        return slots

    def _genesis_period(self):
        if not self.genesis_linked:
            return None
        slots = []
        for thread, block_id in enumerate(genesis_ids()):
            public_key, content = genesis_block(thread)
            signature = genesis_signature(thread)
            if self.headers.get(block_id, {"signature": signature})["signature"] != signature:
                raise NotMassa(f"the genesis block of thread {thread} has another signature")
            slots.append({"publicKey": public_key, "content": content, "operationIds": [], "operations": {},
                          "signatures": {}, "signature": signature})
        return slots

    def periods(self):
        numbers = {0} | {p for p, _ in self.final} | {p for p, _ in self.missed}
        for number in sorted(numbers):
            slots = self.period(number)
            if slots is not None:
                yield number, slots


def blake3_key(data, ids):
    return hashlib.sha256(data + b"".join(ids)).digest()


def describe_period(recording, number, slots):
    chain, genesis = recording.chain_id, recording.genesis_ms
    body = encode_body(chain, genesis, number, slots)
    blocks = [b for b in slots if isinstance(b, dict)]
    whole = all(b["signature"] for b in blocks)
    seals = encode_seals(chain, genesis, number, slots) if whole else None
    decoded = decode_body(body)
    if encode_body(chain, genesis, number, decoded["slots"]) != body:
        raise NotMassa(f"BODY of period {number} does not survive a round trip")
    if seals is not None:
        decode_seals(seals, decoded)
    chunks = [chunk_id(c) for c in cut(body)]
    bitmap = bitmap_of(slots)
    kinds = [kind for b in blocks for kind, _ in b["operations"].values()]
    return {"period": number, "blocks": len(blocks), "operations": len(kinds), "notReproducible": kinds.count(2),
            "bytes": len(body), "bitmap": f"{bitmap:08x}", "chunks": [c.hex() for c in chunks],
            "root": period_root(chain, genesis, number, bitmap, chunks).hex(),
            "bodySha256": sha256(body).hex(), "sealsSha256": sha256(seals).hex() if seals is not None else None}


def describe_eras(recording, periods):
    by_number, eras = {p["period"]: p for p in periods}, []
    for era in range(max(by_number, default=-1) // PERIODS_PER_ERA + 1):
        numbers = range(era * PERIODS_PER_ERA, (era + 1) * PERIODS_PER_ERA)
        if all(n in by_number for n in numbers):
            whole = [by_number[n] for n in numbers]
            size, chunks = sum(p["bytes"] for p in whole), sum(len(p["chunks"]) for p in whole)
            root = era_root(recording.chain_id, recording.genesis_ms, era, size, chunks,
                            [bytes.fromhex(p["root"]) for p in whole])
            eras.append({"era": era, "bytes": size, "chunks": chunks, "root": root.hex()})
    return eras


def roots_command(args):
    recording = Recording(args.signatures)
    for path in args.recording:
        recording.add(path)
    recording.decide()
    periods = [describe_period(recording, n, slots) for n, slots in recording.periods()]
    eras = describe_eras(recording, periods)
    result = {"chainId": str(recording.chain_id), "genesisTimestampMs": str(recording.genesis_ms), "periods": periods,
              "eras": eras, "blocksHeld": len(recording.headers), "finalBlocks": len(recording.final),
              "operationsHeld": len(recording.operations), "refused": recording.refused, **recording.counts}
    if args.json:
        print(json.dumps(result, indent=1))
    else:
        print(f"chain {recording.chain_id}, genesis {recording.genesis_ms}: {len(recording.headers)} blocks held, "
              f"{len(recording.final)} final, {len(recording.missed)} slots proven missed, "
              f"{recording.counts['signatures']} signatures checked")
        for p in periods:
            print(f"period {p['period']} blocks {p['blocks']} operations {p['operations']} bytes {p['bytes']} "
                  f"bitmap {p['bitmap']} root {p['root']} chunks {','.join(p['chunks'])} body {p['bodySha256']} "
                  f"seals {p['sealsSha256'] or '-'}" + (f" not-reproducible {p['notReproducible']}" if p["notReproducible"] else ""))
        for e in eras:
            print(f"era {e['era']} bytes {e['bytes']} chunks {e['chunks']} root {e['root']}")
        for reason in recording.refused:
            print(f"refused: {reason}", file=sys.stderr)
        for name in ("badEndorsementSignatures", "badDenunciationSignatures"):
            if recording.counts[name]:
                print(f"{name}: {recording.counts[name]}", file=sys.stderr)
    return 1 if recording.refused else 0


# -------------------------------------------------------------------------------------------------------- test vectors
#
# One function per area turns the inputs of a case into its result; the generator runs each case through it, so that a
# case whose `want` or `wantErr` this file does not itself reach cannot be written.

def fill(seed, length):
    """SHA256(seed || u32 0) || SHA256(seed || u32 1) || ... cut to `length`."""
    out = b"".join(sha256(seed.encode() + u32(i)) for i in range(-(-length // 32)))
    return out[:length]


def fill_spec(seed, length, **more):
    return {"fill": "sha256-counter", "seed": seed, "length": length, **more}


def expand(value):
    return fill(value["seed"], value["length"]) if isinstance(value, dict) else bytes.fromhex(value)


def expand_list(value):
    if isinstance(value, list):
        return [bytes.fromhex(v) for v in value]
    data, size = expand(value), value["leafSize"]
    return [data[i:i + size] for i in range(0, len(data), size)]


def test_secret(n):
    return sha256(f"massa-storage test key {n}".encode())


def test_key(n):
    return b"\0" + ed25519_public_key(test_secret(n))


def test_sign(n, digest):
    return b"\0" + ed25519_sign(test_secret(n), digest)


def test_address(n):
    return text_encode("address", user_address(test_key(n)))


def slot_json(slot):
    return {"period": str(slot[0]), "thread": slot[1]}


def run_base58check(c):
    return base58check_decode(c["text"]).hex() if c["type"] == "raw" else text_decode(c["type"], c["text"]).hex()


def run_leb128(c):
    r = Reader(bytes.fromhex(c["bytes"]), "CORE_VARINT_INVALID")
    value = r.vi(int(c["max"]))
    r.end()
    return str(value)


def run_endorsement(c):
    content = bytes.fromhex(c["content"])
    e = parse_endorsement(content)
    if "publicKey" not in c:
        return {"slot": slot_json(e["slot"]), "index": e["index"], "endorsedBlock": text_encode("blockId", e["endorsedBlock"])}
    key, signature = bytes.fromhex(c["publicKey"]), bytes.fromhex(c["signature"])
    i = endorsement_id(key, content)
    signed = endorsement_signed_hash(key, e["slot"], e["index"], i)
    return {"slot": slot_json(e["slot"]), "index": e["index"], "endorsedBlock": text_encode("blockId", e["endorsedBlock"]),
            "idHash": i.hex(), "id": text_encode("endorsementId", b"\0" + i), "signedHash": signed.hex(),
            "signatureValid": ed25519_verify(key[1:], signed, signature[1:])}


def denunciation_json(d):
    out = {"kind": d["kind"], "publicKey": text_encode("publicKey", d["publicKey"]), "slot": slot_json(d["slot"])}
    if d["kind"] == "endorsement":
        out["index"] = d["index"]
    signed = denunciation_signed_hashes(d)
    out.update(hash1=d["hash1"].hex(), hash2=d["hash2"].hex(),
               signature1=d["signature1"].hex(), signature2=d["signature2"].hex(),
               signaturesValid=[ed25519_verify(d["publicKey"][1:], s, d[n][1:])
                                for s, n in zip(signed, ("signature1", "signature2"))])
    return out


def run_denunciation(c):
    return denunciation_json(parse_denunciation(bytes.fromhex(c["bytes"])))


def run_block_header(c):
    content = bytes.fromhex(c["content"])
    h = parse_header(content)
    key, signature = bytes.fromhex(c["publicKey"]), bytes.fromhex(c["signature"])
    digest = blake3(key + content)
    signed = header_signed_hash(key, h["slot"], digest)
    endorsements = []
    for e in h["endorsements"]:
        inner = endorsement_content(h["slot"], e["index"], h["parents"][h["slot"][1]])
        i = endorsement_id(e["publicKey"], inner)
        endorsements.append({"index": e["index"], "publicKey": text_encode("publicKey", e["publicKey"]),
                             "id": text_encode("endorsementId", b"\0" + i),
                             "signatureValid": ed25519_verify(e["publicKey"][1:], endorsement_signed_hash(
                                 e["publicKey"], h["slot"], e["index"], i), e["signature"][1:])})
    return {"version": h["version"], "announcedVersion": h["announced"], "slot": slot_json(h["slot"]),
            "parents": [text_encode("blockId", p) for p in h["parents"]], "operationsHash": h["listHash"].hex(),
            "endorsements": endorsements, "denunciations": [denunciation_json(d) for d in h["denunciations"]],
            "hash": digest.hex(), "id": block_id_text(digest), "signedHash": signed.hex(),
            "serializedSize": len(content) + SIGNATURE_AND_KEY_BYTES, "creator": text_encode("address", user_address(key)),
            "signatureValid": ed25519_verify(key[1:], signed, signature[1:])}


def run_operation(c):
    content = bytes.fromhex(c["content"])
    op = parse_operation(content)
    key, signature = bytes.fromhex(c["publicKey"]), bytes.fromhex(c["signature"])
    i, creator = operation_id(int(c["chainId"]), key, content), user_address(key)
    out = {}
    for name, value in op.items():
        if name == "datastore":
            out[name] = [[k.hex(), v.hex()] for k, v in value]
        elif name in ("recipient", "target"):
            out[name] = text_encode("address", value)
        else:
            out[name] = value.hex() if isinstance(value, bytes) else str(value)
    return {"operation": out, "idHash": i[1:].hex(), "id": text_encode("operationId", i), "creator": text_encode("address", creator),
            "creatorThread": address_thread(creator), "serializedSize": len(content) + SIGNATURE_AND_KEY_BYTES,
            "signatureValid": ed25519_verify(key[1:], i[1:], signature[1:])}


def run_ed25519(c):
    args = [bytes.fromhex(c[n]) for n in ("publicKey", "message", "signature")]
    if ed25519_verify_zip215(*args) != c["zip215"]:
        raise AssertionError(f"zip215 of {c}")
    return ed25519_verify(*args)


def run_blake3(c):
    return blake3(expand(c["data"])).hex()


def run_sha256(c):
    return sha256(expand(c["data"])).hex()


def body_json(body):
    blocks = [b for b in body["slots"] if isinstance(b, dict)]
    data = encode_body(body["chainId"], body["genesisMs"], body["period"], body["slots"])
    chunks = [chunk_id(c) for c in cut(data)]
    bitmap = bitmap_of(body["slots"])
    return {"chainId": str(body["chainId"]), "genesisTimestampMs": str(body["genesisMs"]), "period": str(body["period"]),
            "bitmap": bitmap, "voidThreads": [t for t, s in enumerate(body["slots"]) if s == VOID],
            "blocks": [{"id": text_encode("blockId", b["id"]), "operationIds": [text_encode("operationId", i) for i in b["operationIds"]],
                        "operations": [{"id": text_encode("operationId", i), "kind": kind} for i, (kind, _) in b["operations"].items()]}
                       for b in blocks],
            "chunkIds": [c.hex() for c in chunks],
            "root": period_root(body["chainId"], body["genesisMs"], body["period"], bitmap, chunks).hex()}


def run_body(c):
    data = bytes.fromhex(c["body"])
    body = decode_body(data)
    if encode_body(body["chainId"], body["genesisMs"], body["period"], body["slots"]) != data:
        raise AssertionError("BODY round trip")
    return body_json(body)


def run_seals(c):
    body = decode_body(bytes.fromhex(c["body"]))
    seals = decode_seals(bytes.fromhex(c["seals"]), body)
    return {"blocks": [{"header": h.hex(), "operations": [o.hex() for o in ops]} for h, ops in seals],
            "signaturesValid": check_seals(body, seals)}


def run_restore(c):
    key, content = bytes.fromhex(c["publicKey"]), bytes.fromhex(c["shown"])
    kind, restored = restore_operation(int(c["chainId"]), key, parse_operation(content), text_decode("operationId", c["id"]), c["serializedSize"])
    return {"kind": kind, "bytes": (key + restored + (vi(c["serializedSize"]) if kind == 2 else b"")).hex()}


def run_merkle(c):
    if c["kind"] == "root":
        return tree_root([leaf_hash(x) for x in expand_list(c["leaves"])]).hex()
    if c["kind"] == "path":
        return [p.hex() for p in tree_path([leaf_hash(x) for x in expand_list(c["leaves"])], c["index"])]
    verify_path(leaf_hash(bytes.fromhex(c["leaf"])), c["index"], c["leafCount"], [bytes.fromhex(p) for p in c["path"]],
                bytes.fromhex(c["root"]))
    return True


def run_chunk(c):
    data = expand(c["data"])
    return {"byteLength": len(data), "leafCount": leaf_count_of(len(data)), "treeRoot": data_tree_root(data).hex(),
            "chunkId": chunk_id(data).hex()}


def run_manifest(c):
    m = decode_manifest(bytes.fromhex(c["manifest"]))
    if encode_manifest(m).hex() != c["manifest"]:
        raise AssertionError("manifest round trip")
    root = period_root(m["chainId"], m["genesisMs"], m["period"], m["bitmap"], [i for _, i in m["chunks"]])
    return {"chainId": str(m["chainId"]), "genesisTimestampMs": str(m["genesisMs"]), "period": str(m["period"]),
            "bitmap": m["bitmap"], "chunks": [{"byteLength": n, "chunkId": i.hex()} for n, i in m["chunks"]], "root": root.hex()}


def run_period_root(c):
    return period_root(int(c["chainId"]), int(c["genesisTimestampMs"]), int(c["period"]), c["bitmap"], expand_list(c["chunkIds"])).hex()


def run_era_root(c):
    return era_root(int(c["chainId"]), int(c["genesisTimestampMs"]), int(c["era"]), int(c["totalBytes"]), int(c["totalChunks"]),
                    expand_list(c["periodRoots"])).hex()


def nodes_of(c):
    return [(n["address"], n["placementGb"]) for n in c["nodes"]]


def run_placement(c):
    kind = c["kind"]
    if kind == "hashSlot":
        return hash_slot(bytes.fromhex(c["chunkId"]))
    if kind == "ticket":
        return [str(ticket(c["address"], s)) for s in c["hashSlots"]]
    if kind == "logarithm":
        return double_hex(natural_log(struct.unpack(">d", bytes.fromhex(c["value"]))[0]))
    if kind == "score":
        return [double_hex(score(c["address"], c["placementGb"], s)) for s in c["hashSlots"]]
    if kind == "rank":
        return [rank(nodes_of(c), s) for s in c["hashSlots"]]
    counts = {n["address"]: 0 for n in c["nodes"]}
    for s in range(HASH_SLOTS):
        counts[rank(nodes_of(c), s)[0]] += 1
    return counts


def run_challenge(c):
    kind = c["kind"]
    if kind == "seed":
        f = {**c, "chunkId": bytes.fromhex(c["chunkId"])}
        return challenge_seed({**f, **{n: int(c[n]) for n in ("chainId", "nonce", "issuedPeriod")}}, c["label"]).hex()
    if kind == "samples":
        return [sample_index(bytes.fromhex(c["seed"]), i, c["leafCount"]) for i in range(c["count"])]
    if kind == "prove":
        data = expand(c["data"])
        return make_proof(data, bytes.fromhex(c["seed"]), c["samples"]).hex()
    if kind == "verify":
        verify_proof(bytes.fromhex(c["chunkId"]), bytes.fromhex(c["seed"]), c["samples"], bytes.fromhex(c["proof"]))
        return True
    if kind == "proofText":
        return proof_text(bytes.fromhex(c["seed"]), bytes.fromhex(c["proof"]), c["label"])
    if kind == "drawText":
        return draw_text(int(c["period"]), [text_decode("blockId", b) for b in c["blockIds"]])
    if kind == "drawNumbers":
        draw = sha256(bytes.fromhex(c["signature"]))
        return {"draw": draw.hex(), "numbers": [str(draw_number(draw, n["i"]) % int(n["modulo"])) for n in c["numbers"]],
                "nonce": str(int.from_bytes(sha256(draw + b"nonce")[:8], "big")), "challengeId": sha256(draw + b"id").hex(),
                "audit": [sha256(draw + bytes([j])).hex() for j in range(8)]}
    if kind == "select":
        holders = {a: set(slots) for a, slots in c["holders"].items()}
        eras = [{"era": int(e["era"]), "bytes": int(e["bytes"]),
                 "chunks": [{"period": int(k["period"]), "index": k["index"], "bytes": k["bytes"], "chunkId": bytes.fromhex(k["chunkId"])}
                            for k in e["chunks"]]} for e in c["eras"]]
        node, tries, era, chunk = select(bytes.fromhex(c["draw"]), holders, eras)
        return None if chunk is None else {"node": node, "t": tries, "era": str(era), "period": str(chunk["period"]), "index": chunk["index"],
                                           "chunkId": chunk["chunkId"].hex()}
    if kind == "eraText":
        return era_text(int(c["chainId"]), c["contract"], int(c["era"]), bytes.fromhex(c["eraRoot"]), int(c["totalBytes"]),
                        int(c["totalChunks"]), bytes.fromhex(c["nextPlacementRoot"]))
    if kind == "signText":
        key = bytes.fromhex(c["publicKey"])
        return {"digest": blake3(c["text"].encode()).hex(), "valid": ed25519_verify(key[1:], blake3(c["text"].encode()), bytes.fromhex(c["signature"])[1:])}
    holders = [rank(nodes_of(c), s)[:c["replicas"]] for s in range(HASH_SLOTS)]
    return placement_root(int(c["chainId"]), int(c["genesisTimestampMs"]), int(c["era"]), holders).hex()


RUNNERS = {"base58check": run_base58check, "leb128": run_leb128, "endorsement": run_endorsement, "denunciation": run_denunciation,
           "block-header": run_block_header, "operation": run_operation, "ed25519": run_ed25519, "blake3": run_blake3,
           "sha256": run_sha256, "body": run_body, "seals": run_seals,
           "restore": run_restore, "merkle": run_merkle, "chunk": run_chunk,
           "manifest": run_manifest, "period-root": run_period_root, "era-root": run_era_root, "placement": run_placement,
           "challenge": run_challenge}


class Vectors:
    def __init__(self):
        self.files = {}

    def put(self, area, name, desc, case, **expected):
        path = f"{area}/{name}.json"
        if path in self.files:
            raise AssertionError(f"{path} twice")
        try:
            result = {"want": RUNNERS[area](case)}
        except FormatError as e:
            result = {"wantErr": e.code}
        except KeyError:
            raise AssertionError(f"{path}: parses, though it should not") from None
        if expected and expected != result:
            raise AssertionError(f"{path}: expected {expected}, got {result}")
        if "wantErr" in result and not expected:
            raise AssertionError(f"{path}: {result}")
        self.files[path] = json.dumps({"desc": desc, **case, **result}, indent=1) + "\n"

    def good(self, area, name, desc, case, *want):
        self.put(area, name, desc, case, **({"want": want[0]} if want else {}))

    def bad(self, area, name, desc, case, code):
        self.put(area, name, desc, case, wantErr=code)


def flip(data, at=0, bit=0):
    out = bytearray(data)
    out[at] ^= 1 << bit
    return bytes(out)


def vectors_atoms(v):
    samples = {"publicKey": test_key(0), "secretKey": b"\0" + test_secret(0), "signature": b"\0" + fill("signature", 64),
               "blockId": b"\0" + fill("block", 32), "operationId": b"\0" + fill("operation", 32),
               "endorsementId": b"\0" + fill("endorsement", 32), "hash": fill("hash", 32)}
    for kind, data in samples.items():
        v.good("base58check", f"{kind.lower()}", f"text form of a {kind}", {"type": kind, "text": text_encode(kind, data)}, data.hex())
    user, contract = b"\0\0" + fill("user", 32), b"\1\0" + fill("contract", 32)
    v.good("base58check", "address-user", "AU: kind 0 stands only in the letters", {"type": "address", "text": text_encode("address", user)}, user.hex())
    v.good("base58check", "address-contract", "AS: kind 1", {"type": "address", "text": text_encode("address", contract)}, contract.hex())
    v.good("base58check", "raw-leading-zeros", "each leading zero byte is one leading 1",
           {"type": "raw", "text": base58check_encode(b"\0\0\0\7")}, "00000007")
    v.good("base58check", "raw-empty", "no bytes: the checksum alone", {"type": "raw", "text": base58check_encode(b"")}, "")
    v.good("base58check", "block-id-of-blk", "a constant of Massa's own tests",
           {"type": "blockId", "text": "B12iL52kye2CraMXdkdKDxjZJXF9it6E4hz8KEj656QnhvwocvBX"}, "00" + blake3(b"blk").hex())
    text = text_encode("blockId", samples["blockId"])
    bad = {
        "empty": ("raw", "", "no text at all"),
        "shorter-than-checksum": ("raw", "11", "two zero bytes hold no checksum"),
        "checksum-last-char": ("blockId", text[:-1] + ("2" if text[-1] != "2" else "3"), "last character changed"),
        "checksum-middle-char": ("blockId", text[:20] + ("2" if text[20] != "2" else "3") + text[21:], "a character in the middle changed"),
        "char-zero": ("blockId", text[:9] + "0" + text[10:], "0 is not in the alphabet"),
        "char-capital-o": ("blockId", text[:9] + "O" + text[10:], "O is not in the alphabet"),
        "char-capital-i": ("blockId", text[:9] + "I" + text[10:], "I is not in the alphabet"),
        "char-small-l": ("blockId", text[:9] + "l" + text[10:], "l is not in the alphabet"),
        "char-not-ascii": ("blockId", text[:9] + "é" + text[10:], "a letter outside ASCII"),
        "trailing-space": ("blockId", text + " ", "a space after the text"),
        "leading-space": ("blockId", " " + text, "a space before the text"),
        "truncated": ("blockId", text[:-1], "one character short"),
        "one-char-more": ("blockId", text + "1", "one character too many"),
        "extra-leading-one": ("raw", "1" + base58check_encode(fill("x", 32)), "one more zero byte than the checksum covers"),
        "letter-of-operation": ("blockId", "O" + text[1:], "an operation's letter where a block id is wanted"),
        "letter-missing": ("blockId", text[1:], "no letter"),
        "letter-small": ("blockId", "b" + text[1:], "small letter"),
        "block-version-1": ("blockId", "B" + base58check_encode(b"\1" + fill("block", 32)), "id of version 1"),
        "block-31-bytes": ("blockId", "B" + base58check_encode(b"\0" + fill("block", 31)), "hash a byte short"),
        "block-33-bytes": ("blockId", "B" + base58check_encode(b"\0" + fill("block", 33)), "hash a byte long"),
        "public-key-version-1": ("publicKey", "P" + base58check_encode(b"\1" + fill("key", 32)), "key of version 1"),
        "signature-63-bytes": ("signature", base58check_encode(b"\0" + fill("signature", 63)), "signature a byte short"),
        "signature-version-1": ("signature", base58check_encode(b"\1" + fill("signature", 64)), "signature of version 1"),
        "address-unknown-letter": ("address", "AX" + text_encode("address", user)[2:], "neither AU nor AS"),
        "address-version-1": ("address", "AU" + base58check_encode(b"\1" + fill("user", 32)), "address of version 1"),
        "address-with-kind-byte": ("address", "AU" + base58check_encode(user), "the kind is in the letters, not in the bytes"),
        "address-letters-only": ("address", "AU", "nothing after the letters"),
        "hash-33-bytes": ("hash", base58check_encode(b"\0" + fill("hash", 32)), "a versioned id where a plain hash is wanted"),
    }
    for name, (kind, value, desc) in bad.items():
        v.bad("base58check", name, desc, {"type": kind, "text": value}, "CORE_BASE58_INVALID")

    top64, top32 = str(2**64 - 1), str(2**32 - 1)
    for name, n in (("zero", 0), ("127", 127), ("128", 128), ("16383", 16383), ("16384", 16384), ("u32-max", 2**32 - 1),
                    ("2-to-53", 2**53), ("2-to-63", 2**63), ("u64-max", 2**64 - 1)):
        v.good("leb128", f"good-{name}", f"{n}", {"bytes": vi(n).hex(), "max": top64}, str(n))
    v.good("leb128", "good-u32-at-bound", "the highest u32", {"bytes": vi(2**32 - 1).hex(), "max": top32}, top32)
    for name, data, top, desc in (
            ("empty", "", top64, "no byte"), ("truncated-1", "80", top64, "continuation bit on the last byte"),
            ("truncated-9", "ff" * 9, top64, "nine bytes, all continued"), ("truncated-10", "ff" * 10, top64, "ten bytes, all continued"),
            ("not-minimal-zero", "8000", top64, "0 in two bytes"), ("not-minimal-one", "8100", top64, "1 in two bytes"),
            ("not-minimal-long", "8080808000", top64, "0 in five bytes"), ("not-minimal-max-length", "ff" * 9 + "00", top64, "ten bytes, the last 0"),
            ("not-minimal-300", "ac8200", top64, "300 in three bytes"),
            ("overflow-u64", "ff" * 9 + "02", top64, "a 65th bit"), ("overflow-u64-one-more", "80" * 9 + "02", top64, "exactly 2^64"),
            ("overflow-eleven-bytes", "80" * 10 + "01", top64, "eleven bytes"),
            ("overflow-u32", vi(2**32).hex(), top32, "2^32 where a u32 is wanted"),
            ("overflow-u32-all-bits", vi(2**64 - 1).hex(), top32, "u64 maximum where a u32 is wanted"),
            ("overflow-u16", vi(65536).hex(), "65535", "2^16 where a u16 is wanted"),
            ("trailing-byte", "0100", top64, "a byte after the number")):
        v.bad("leb128", name, desc, {"bytes": data, "max": top}, "CORE_VARINT_INVALID")


def vectors_hashes(v):
    for n in (0, 1, 2, 31, 32, 33, 54, 55, 56, 57, 63, 64, 65, 111, 112, 119, 120, 127, 128, 129, 255, 256, 257, 511, 1000,
              1023, 1024, 1025, 1087, 1088, 1089, 1536, 2047, 2048, 2049, 2682, 2780, 3000, 3071, 3072, 3073):
        for area in ("blake3", "sha256"):
            v.good(area, f"length-{n}", f"{n} bytes", {"data": fill_spec("hash", n)})
    for n in (4096, 4097, 5120, 8193):
        v.good("blake3", f"length-{n}", f"{n} bytes: a deeper tree", {"data": fill_spec("hash", n)})


def header_case(h, signer=1, **more):
    content = header_content(h)
    digest = blake3(test_key(signer) + content)
    return {"publicKey": test_key(signer).hex(), "content": content.hex(),
            "signature": test_sign(signer, header_signed_hash(test_key(signer), h["slot"], digest)).hex(), **more}


def test_header(slot=(7, 3), endorsements=0, denunciations=(), ids=(), version=0, announced=None, genesis=False):
    parents = [] if genesis else [b"\0" + fill(f"parent {t}", 32) for t in range(32)]
    h = {"version": version, "announced": announced, "slot": slot, "parents": parents, "listHash": list_hash(ids),
         "endorsements": [], "denunciations": list(denunciations)}
    for index in range(endorsements):
        key = test_key(2 + index % 3)
        i = endorsement_id(key, endorsement_content(slot, index, parents[slot[1]]))
        h["endorsements"].append({"signature": test_sign(2 + index % 3, endorsement_signed_hash(key, slot, index, i)),
                                  "publicKey": key, "index": index})
    return h


def test_denunciation(kind, slot=(5, 9), index=4):
    d = {"kind": kind, "publicKey": test_key(5), "slot": slot, "hash1": fill("hash 1", 32), "hash2": fill("hash 2", 32)}
    if kind == "endorsement":
        d["index"] = index
    d["signature1"], d["signature2"] = (test_sign(5, x) for x in denunciation_signed_hashes(d))
    return d


def vectors_blocks(v):
    slot, parent = (7, 3), b"\0" + fill("parent 3", 32)

    def endorsement(content, signer=2, sign=None):
        e = parse_endorsement(content)
        key = test_key(signer)
        signed = endorsement_signed_hash(key, e["slot"], e["index"], endorsement_id(key, content))
        return {"publicKey": key.hex(), "content": content.hex(), "signature": (sign or test_sign(signer, signed)).hex()}

    content = endorsement_content(slot, 0, parent)
    v.good("endorsement", "index-0", "first endorsement of a block", endorsement(content))
    v.good("endorsement", "index-15", "last index", endorsement(endorsement_content((4000000, 31), 15, parent)))
    v.good("endorsement", "period-u64-max", "highest period", endorsement(endorsement_content((2**64 - 1, 31), 1, parent)))
    v.good("endorsement", "signature-flipped", "id and parse are good, only the signature is not",
           endorsement(content, 2, b"\0" + fill("not a signature", 63) + b"\0"))
    v.good("endorsement", "mainnet-4000000", "endorsement 0 of the mainnet block at slot (4000000, 0)", {
        "publicKey": "0038a7f4f72a7c9402733a7e33239775d9797d680eff655df61e0b106a45b97ede",
        "content": "8092f401000000d6f1f6bdb565deab64fdbd4ee6f3e4d1e3be033ce4aae9e707ae9ad5e746bc72",
        "signature": "0002fbff3ec2d7aee7232094c87ea569adc1f51303cdc69b0464f9b2cba72dbf8e3331b14b4e7cf365d6ccdf4ae7b2c9e2339ad67aa95c90e97dbbf5d2ad56a60a"})
    for name, data, desc in (
            ("empty", b"", "no bytes"), ("truncated", content[:-1], "endorsed block a byte short"),
            ("truncated-slot", content[:1], "period only"), ("trailing-byte", content + b"\0", "one byte more"),
            ("thread-32", b"\7\x20" + content[2:], "threads are 0 to 31"), ("index-16", b"\7\3\x10" + content[3:], "indexes are 0 to 15"),
            ("index-not-minimal", b"\7\3\x80\0" + content[3:], "index 0 in two bytes"), ("period-not-minimal", b"\x87\0" + content[1:], "period 7 in two bytes"),
            ("period-over-u64", b"\xff" * 9 + b"\2" + content[1:], "period of 65 bits"),
            ("index-over-u32", b"\7\3" + vi(2**32) + content[3:], "index 2^32, which must not be taken for 0"),
            ("block-id-version-1", content[:3] + b"\1" + content[4:], "id of version 1")):
        v.bad("endorsement", name, desc, {"content": data.hex()}, BYTES)

    header, endo = test_denunciation("blockHeader"), test_denunciation("endorsement")
    a, b = denunciation_bytes(header), denunciation_bytes(endo)
    v.good("denunciation", "block-header", "two headers of one slot", {"bytes": a.hex()})
    v.good("denunciation", "endorsement", "two endorsements of one slot and index", {"bytes": b.hex()})
    v.good("denunciation", "signature-flipped", "parses; the second signature is not valid", {"bytes": flip(a, -1, 3).hex()})
    for name, data, desc in (
            ("empty", b"", "no bytes"), ("unknown-kind", b"\2" + a[1:], "kinds are 0 and 1"), ("kind-not-minimal", b"\x80\0" + a[1:], "kind 0 in two bytes"),
            ("truncated", a[:-1], "last signature a byte short"), ("trailing-byte", a + b"\0", "one byte more"),
            ("key-version-1", b"\0\1" + a[2:], "key of version 1"), ("thread-32", a[:35] + b"\x20" + a[36:], "threads are 0 to 31"),
            ("signature-version-1", a[:100] + b"\1" + a[101:], "signature of version 1"),
            ("second-signature-version-1", a[:165] + b"\1" + a[166:], "second signature of version 1"),
            ("endorsement-index-16", b[:36] + b"\x10" + b[37:], "indexes are 0 to 15"), ("endorsement-truncated", b[:-1], "last signature a byte short"),
            ("endorsement-without-index", b"\1" + a[1:], "the index left out"), ("block-header-with-index", b"\0" + b[1:], "an index too many")):
        v.bad("denunciation", name, desc, {"bytes": data.hex()}, BYTES)

    for thread in (0, 1, 31):
        key, data = genesis_block(thread)
        case = {"publicKey": key.hex(), "content": data.hex(), "signature": (b"\0" * 65).hex()}
        v.good("block-header", f"genesis-thread-{thread}", "genesis block, from constants (its signature is left out here)", case)
    for name, h, desc in (
            ("plain", test_header(), "32 parents, nothing else"), ("sixteen-endorsements", test_header(endorsements=16), "as on mainnet"),
            ("two-denunciations", test_header(denunciations=[header, endo], endorsements=2), "one of each kind"),
            ("announced-version", test_header(version=1, announced=2), "announces network version 2"),
            ("announced-version-0", test_header(announced=0), "announced 0 is not the same as none"),
            ("version-u32-max", test_header(version=2**32 - 1, announced=2**32 - 1), "highest numbers"),
            ("period-u64-max", test_header(slot=(2**64 - 1, 31)), "highest slot"),
            ("with-operations", test_header(ids=[b"\0" + fill("op", 32)]), "list hash of one operation")):
        v.good("block-header", name, desc, header_case(h))
    flipped = header_case(test_header())
    v.good("block-header", "signature-flipped", "parses; signature not valid", {**flipped, "signature": flip(bytes.fromhex(flipped["signature"]), 40).hex()})

    plain, full = header_content(test_header()), header_content(test_header(endorsements=2))
    with_d = header_content(test_header(denunciations=[header]))
    parents_at = 4
    list_at = parents_at + 1 + 32 * 33
    count_at = list_at + 32
    first = count_at + 1  # first lightweight endorsement: 65 + 33 + 1 bytes
    swapped_index = full[:first + 98] + b"\1" + full[first + 99:]
    many = test_header(denunciations=[header] * 128)
    v.good("block-header", "denunciations-128", "at the limit", header_case(many))
    for name, data, desc in (
            ("empty", b"", "no bytes"), ("truncated-last-byte", plain[:-1], "denunciation count missing"), ("truncated-in-parents", plain[:500], "cut within the parents"),
            ("truncated-in-endorsement", full[:-2], "cut within the last endorsement"), ("trailing-byte", plain + b"\0", "one byte more"),
            ("trailing-endorsement", plain + full[first:first + 99], "an endorsement behind the end"),
            ("option-byte-0", plain[:1] + b"\0" + plain[2:], "none is ASCII 0, not the byte 0"), ("option-byte-1", plain[:1] + b"\1\2" + plain[2:], "some is ASCII 1, not the byte 1"),
            ("option-without-number", plain[:1] + b"\x31" + plain[2:], "ASCII 1 and no number: everything after is shifted"),
            ("version-over-u32", vi(2**32) + plain[1:], "version of 33 bits"), ("version-not-minimal", b"\x80\0" + plain[1:], "version 0 in two bytes"),
            ("announced-over-u32", plain[:1] + b"1" + vi(2**32) + plain[2:], "announced version of 33 bits"),
            ("thread-32", plain[:3] + b"\x20" + plain[4:], "threads are 0 to 31"), ("thread-255", plain[:3] + b"\xff" + plain[4:], "threads are 0 to 31"),
            ("parents-flag-2", plain[:parents_at] + b"\2" + plain[parents_at + 1:], "flags are 0 and 1"),
            ("parents-flag-0-with-parents", plain[:parents_at] + b"\0" + plain[parents_at + 1:], "32 ids that the flag denies"),
            ("parents-31", plain[:parents_at + 1] + plain[parents_at + 34:], "a parent left out"),
            ("parents-33", plain[:list_at] + plain[parents_at + 1:parents_at + 34] + plain[list_at:], "a parent too many"),
            ("parent-id-version-1", plain[:parents_at + 1] + b"\1" + plain[parents_at + 2:], "id of version 1"),
            ("list-hash-31-bytes", plain[:list_at] + plain[list_at + 1:], "list hash a byte short"),
            ("endorsements-17", header_content({**test_header(endorsements=16), "endorsements": test_header(endorsements=16)["endorsements"]
                                                + [{**test_header(endorsements=1)["endorsements"][0], "index": 16}]}), "at most 16"),
            ("endorsement-count-too-high", plain[:count_at] + b"\1" + plain[count_at + 1:], "count 1 and no endorsement"),
            ("endorsement-count-too-low", full[:count_at] + b"\1" + full[count_at + 1:], "count 1 and two endorsements"),
            ("endorsement-index-16", full[:first + 98] + b"\x10" + full[first + 99:], "indexes are 0 to 15"),
            ("endorsement-index-repeated", swapped_index, "index 1 twice"),
            ("endorsement-signature-version-1", full[:first] + b"\1" + full[first + 1:], "signature of version 1"),
            ("endorsement-key-version-1", full[:first + 65] + b"\1" + full[first + 66:], "key of version 1"),
            ("endorsement-without-parents", header_content({**test_header(endorsements=1), "parents": []}), "without a parent it endorses nothing"),
            ("denunciations-129", header_content({**many, "denunciations": [header] * 129}), "at most 128"),
            ("denunciation-count-huge", plain[:-1] + b"\xff\xff\xff\xff\x0f", "a count that must not be allocated"),
            ("denunciation-unknown-kind", with_d[:count_at + 2] + b"\2" + with_d[count_at + 3:], "kinds are 0 and 1")):
        v.bad("block-header", name, desc, {"content": data.hex()}, BYTES)


CHAIN, GENESIS_MS = 77658377, 1705312800000


def operation_case(op, signer=6, chain=CHAIN):
    content = operation_content(op)
    i = operation_id(chain, test_key(signer), content)
    return {"chainId": str(chain), "publicKey": test_key(signer).hex(), "content": content.hex(), "signature": test_sign(signer, i[1:]).hex()}


USER, CONTRACT = b"\0\0" + sha256(b"user"), b"\1\0" + sha256(b"contract")
TRANSACTION = {"fee": 10_000_000, "expirePeriod": 17, "type": "transaction", "recipient": USER, "amount": 123_456_789}
ROLL_BUY = {"fee": 0, "expirePeriod": 300, "type": "rollBuy", "rollCount": 5}
ROLL_SELL = {"fee": 1, "expirePeriod": 301, "type": "rollSell", "rollCount": 2**64 - 1}
EXECUTE = {"fee": 20, "expirePeriod": 17, "type": "executeSC", "maxGas": 3_980_167_295, "maxCoins": 0, "bytecode": b"\1\0asm",
           "datastore": [(b"\1", b"one"), (b"\2", b"two"), (b"\3\1", b"")]}
CALL = {"fee": 20, "expirePeriod": 17, "type": "callSC", "maxGas": 2_100_000, "coins": 1, "target": CONTRACT, "function": "submitProof",
        "parameter": b"\0\1\2"}


def vectors_operations(v):
    for name, op, desc in (
            ("transaction", TRANSACTION, "transfer to a user"), ("transaction-to-contract", {**TRANSACTION, "recipient": CONTRACT}, "transfer to a contract"),
            ("transaction-u64-max", {**TRANSACTION, "fee": 2**64 - 1, "expirePeriod": 2**64 - 1, "amount": 2**64 - 1}, "highest numbers"),
            ("transaction-zero", {**TRANSACTION, "fee": 0, "expirePeriod": 0, "amount": 0}, "lowest numbers"),
            ("roll-buy", ROLL_BUY, "five rolls"), ("roll-sell", ROLL_SELL, "all rolls there can be"),
            ("execute-sc", EXECUTE, "three datastore entries, ascending"),
            ("execute-sc-empty", {**EXECUTE, "bytecode": b"", "datastore": []}, "no bytecode, no datastore"),
            ("execute-sc-unsorted", {**EXECUTE, "datastore": EXECUTE["datastore"][::-1]}, "order counts: another id"),
            ("execute-sc-repeated-key", {**EXECUTE, "datastore": [(b"k", b"1"), (b"k", b"2")]}, "a repeated key is kept as it was sent"),
            ("execute-sc-128-entries", {**EXECUTE, "datastore": [(bytes([i]), b"") for i in range(128)]}, "at the limit"),
            ("execute-sc-key-255", {**EXECUTE, "datastore": [(b"k" * 255, b"v")]}, "longest key"),
            ("execute-sc-empty-key", {**EXECUTE, "datastore": [(b"", b"")]}, "empty key and value"),
            ("call-sc", CALL, "call of a contract"), ("call-sc-empty", {**CALL, "function": "", "parameter": b"", "coins": 0}, "empty function and parameter are legal"),
            ("call-sc-utf8", {**CALL, "function": "é€𝄞"}, "function name of 2, 3 and 4 byte characters"),
            ("call-sc-name-255", {**CALL, "function": "f" * 255}, "longest function name")):
        v.good("operation", name, desc, operation_case(op))
    v.good("operation", "other-chain", "the chain id is inside the id", operation_case(TRANSACTION, chain=77))
    bad_signature = operation_case(TRANSACTION)
    v.good("operation", "signature-flipped", "parses; signature not valid", {**bad_signature, "signature": flip(bytes.fromhex(bad_signature["signature"]), 9).hex()})
    v.good("operation", "mainnet-transaction", "a transaction of mainnet", {
        "chainId": "77658377", "publicKey": "006cea09cc531ae9082cf0f0bb55bfa0aa74e3e19f2064849c7fb5c3ed9684b0a2",
        "content": "01f0d815000000e4b9d5b4df792b90840264dc68435acf874aab9e3cef0158df32e0fc07fe030d01",
        "signature": "006dd544553302b634cc16ac06547f4c59a4612c46bdb25dbada14b0a0b099ab90d9e2edef857395f34aa5df85143b8a2d6eb199556c9d3494ca4ed8dfce96de0e"})
    t, e, c, r = (operation_content(x) for x in (TRANSACTION, EXECUTE, CALL, ROLL_BUY))
    head = vi(TRANSACTION["fee"]) + vi(17)
    small = vi(20) + vi(17)
    call_head = small + b"\4" + vi(CALL["maxGas"]) + b"\1" + CONTRACT
    store = small + b"\3" + vi(EXECUTE["maxGas"]) + b"\0" + b"\0"
    for name, data, desc in (
            ("empty", b"", "no bytes"), ("fee-only", vi(5), "cut after the fee"), ("truncated", t[:-1], "amount cut"), ("trailing-byte", t + b"\0", "one byte more"),
            ("unknown-kind-5", head + b"\5" + t[len(head) + 1:], "kinds are 0 to 4"), ("unknown-kind-128", head + b"\x80\1" + t[len(head) + 1:], "a kind of two bytes"),
            ("kind-not-minimal", head + b"\x80\0" + t[len(head) + 1:], "kind 0 in two bytes"), ("fee-not-minimal", b"\x81\0" + t[len(vi(TRANSACTION['fee'])):], "fee 1 in two bytes"),
            ("fee-over-u64", b"\xff" * 9 + b"\2" + t[len(vi(TRANSACTION['fee'])):], "fee of 65 bits"),
            ("address-kind-2", head + b"\0\2" + t[len(head) + 2:], "kinds of address are 0 and 1"), ("address-version-1", head + b"\0\0\1" + t[len(head) + 3:], "address of version 1"),
            ("address-33-bytes", head + b"\0" + USER[:-1] + b"\5", "address a byte short"),
            ("roll-buy-trailing-byte", r + b"\0", "one byte more"), ("roll-buy-no-count", r[:-1], "count missing"),
            ("execute-trailing-byte", e + b"\0", "one byte more"), ("execute-truncated", e[:-1], "last value's length missing"),
            ("execute-count-too-high", store + b"\2" + b"\1k\1v", "two entries announced, one there"), ("execute-count-too-low", store + b"\1" + b"\1k\1v" * 2, "one entry announced, two there"),
            ("execute-129-entries", store + vi(129) + b"".join(b"\1" + bytes([i]) + b"\0" for i in range(129)), "at most 128"),
            ("execute-key-256", store + b"\1" + vi(256) + b"k" * 256 + b"\0", "keys of at most 255 bytes"),
            ("execute-count-huge", store + vi(2**63), "a count that must not be allocated"), ("execute-bytecode-longer", store[:-1] + b"\xff\x07" + b"x" * 9, "bytecode longer than the rest"),
            ("execute-key-length-not-minimal", store + b"\1" + b"\x81\0k\0", "length 1 in two bytes"),
            ("call-trailing-byte", c + b"\0", "one byte more"), ("call-truncated", c[:-1], "parameter cut"),
            ("call-name-256", call_head + vi(256) + b"f" * 256 + b"\0", "names of at most 255 bytes"), ("call-name-not-utf8", call_head + b"\2\xc3\x28\0", "a broken UTF-8 sequence"),
            ("call-name-overlong-utf8", call_head + b"\2\xc0\x80\0", "an overlong UTF-8 sequence"), ("call-name-surrogate", call_head + b"\3\xed\xa0\x80\0", "half of a surrogate pair"),
            ("call-target-kind-2", small + b"\4" + vi(CALL["maxGas"]) + b"\1\2" + CONTRACT[1:] + b"\0\0", "kinds of address are 0 and 1"),
            ("call-no-parameter", call_head + b"\1f", "parameter length missing")):
        v.bad("operation", name, desc, {"chainId": str(CHAIN), "content": data.hex()}, BYTES)


def vectors_ed25519(v):
    def put(name, desc, key, message, signature, want, zip215):
        v.good("ed25519", name, desc, {"publicKey": key.hex(), "message": message.hex(), "signature": signature.hex(), "zip215": zip215}, want)

    for i, (secret, _, message, signature) in enumerate(RFC8032):
        put(f"rfc8032-{i + 1}", "test vector of RFC 8032 7.1", ed25519_public_key(bytes.fromhex(secret)), bytes.fromhex(message), bytes.fromhex(signature), True, True)
    secret, message = test_secret(0), fill("message", 32)
    key, signature = ed25519_public_key(secret), ed25519_sign(test_secret(0), fill("message", 32))
    put("good-32-byte-message", "as Massa signs: a 32-byte hash", key, message, signature, True, True)
    put("good-long-message", "3,000 bytes", key, fill("message", 3000), ed25519_sign(secret, fill("message", 3000)), True, True)
    s = int.from_bytes(signature[32:], "little")
    put("s-plus-l", "S + L is the same scalar, and not allowed", key, message, signature[:32] + (s + L).to_bytes(32, "little"), False, False)
    put("s-equals-l", "S = L", key, message, signature[:32] + L.to_bytes(32, "little"), False, False)
    put("s-all-ones", "S = 2^256 - 1", key, message, signature[:32] + b"\xff" * 32, False, False)
    put("s-high-bit", "highest bit of S set", key, message, flip(signature, 63, 7), False, False)
    put("s-negated", "L - S", key, message, signature[:32] + (L - s).to_bytes(32, "little"), False, False)
    put("s-zero", "S = 0", key, message, signature[:32] + bytes(32), False, False)
    for name, data in (("r-bit-flipped", flip(signature)), ("r-sign-flipped", flip(signature, 31, 7)), ("s-bit-flipped", flip(signature, 32))):
        put(name, "one bit of the signature changed", key, message, data, False, False)
    put("message-bit-flipped", "one bit of the message changed", key, flip(message, 31, 7), signature, False, False)
    put("message-longer", "a zero byte behind the message", key, message + b"\0", signature, False, False)
    put("message-empty", "no message", key, b"", signature, False, False)
    put("key-bit-flipped", "one bit of the key changed", flip(key), message, signature, False, False)
    put("key-sign-flipped", "the negated key", flip(key, 31, 7), message, signature, False, False)
    put("key-of-another", "another key", test_key(1)[1:], message, signature, False, False)
    put("halves-swapped", "S before R", key, message, signature[32:] + signature[:32], False, False)
    for n in (0, 32, 63):
        put(f"signature-{n}-bytes", "too short", key, message, signature[:n], False, False)
    put("signature-65-bytes", "with Massa's version byte in front", key, message, b"\0" + signature, False, False)
    put("signature-trailing-byte", "a byte behind it", key, message, signature + b"\0", False, False)
    for n in (0, 31):
        put(f"key-{n}-bytes", "too short", key[:n], message, signature, False, False)
    put("key-33-bytes", "with Massa's version byte in front", b"\0" + key, message, signature, False, False)
    off = next(y.to_bytes(32, "little") for y in range(2, 99) if _decompress(y.to_bytes(32, "little")) is None)
    put("key-not-on-curve", "no point has this y", off, message, signature, False, False)
    put("r-not-on-curve", "no point has this y", key, message, off + signature[32:], False, False)

    # Points of small order, and sums of honest points with them.
    point = next(_extended(xy) for xy in (_decompress(y.to_bytes(32, "little")) for y in range(2, 200)) if xy
                 and _encode_point(_multiply_all(_extended(xy), 4 * L)) != _encode_point(NEUTRAL))
    torsion = [_multiply_all(point, L * i) for i in range(8)]
    neutral = _encode_point(NEUTRAL)
    put("small-order-key-neutral", "the neutral point as key: any message passes with R = S*B", neutral, message,
        _encode_point(_multiply_base(5)) + (5).to_bytes(32, "little"), True, True)
    put("small-order-all-neutral", "neutral key, neutral R, S = 0", neutral, message, neutral + bytes(32), True, True)
    small = _encode_point(torsion[1])
    for counter in range(64):  # one message for which k is not a multiple of 8
        m = fill(f"small order {counter}", 32)
        if _sha512_int(neutral, small, m) % 8:
            break
    put("small-order-key-8", "key of order 8: only the check with cofactor passes", small, m, neutral + bytes(32), False, True)
    a, prefix = _expand_secret(secret)
    mixed = _encode_point(_add(_multiply_base(a), torsion[1]))
    for counter in range(64):
        m = fill(f"mixed order {counter}", 32)
        nonce = _sha512_int(prefix, m)
        r = _encode_point(_multiply_base(nonce))
        k = _sha512_int(r, mixed, m)
        if k % 8:
            break
    put("mixed-order-key", "an honest key plus a point of order 8: only the check with cofactor passes", mixed, m,
        r + ((nonce + k * a) % L).to_bytes(32, "little"), False, True)
    r = _encode_point(_add(_multiply_base(nonce), torsion[1]))
    k = _sha512_int(r, key, m)
    put("mixed-order-r", "R plus a point of order 8: only the check with cofactor passes", key, m, r + ((nonce + k * a) % L).to_bytes(32, "little"), False, True)
    put("r-not-canonical", "R is the neutral point written as y = p + 1", neutral, message, (P + 1).to_bytes(32, "little") + bytes(32), False, True)
    put("r-negative-zero", "R is the neutral point with the sign bit set", neutral, message, flip(neutral, 31, 7) + bytes(32), False, True)


def _multiply_all(point, scalar):
    """Scalar of any size (a scalar modulo L is not enough outside the prime-order group)."""
    acc = NEUTRAL
    for bit in bin(scalar)[2:]:
        acc = _double(acc)
        if bit == "1":
            acc = _add(acc, point)
    return acc


def test_block(slot, ops, order=None, kinds=None, signer=1):
    """A signed block for BODY and SEALS; `ops` signed by key 6, `order` = indexes of the list, possibly repeated."""
    operations, signatures, ids = {}, {}, []
    for op in ops:
        content = operation_content(op)
        i = operation_id(CHAIN, test_key(6), content)
        operations[i], signatures[i] = (1, test_key(6) + content), test_sign(6, i[1:])
        ids.append(i)
    operations.update(kinds or {})
    signatures.update((i, test_sign(6, i[1:])) for i in kinds or {})
    ids += list(kinds or {})
    ids = [ids[n] for n in order] if order is not None else ids
    content = header_content(test_header(slot=slot, ids=ids))
    digest = blake3(test_key(signer) + content)
    return {"publicKey": test_key(signer), "content": content, "operationIds": ids, "operations": operations, "signatures": signatures,
            "signature": test_sign(signer, header_signed_hash(test_key(signer), slot, digest))}


def lost_operation(op=None):
    """(id, kind 2 entry) of an ExecuteSC whose repeated key the node no longer shows."""
    sent = {**EXECUTE, "datastore": [(b"\1", b"lost"), (b"\1", b"one"), (b"\2", b"two")]}
    content = operation_content(sent)
    shown = operation_content(op or {**EXECUTE, "datastore": [(b"\1", b"one"), (b"\2", b"two")]})
    return operation_id(CHAIN, test_key(6), content), (2, test_key(6) + shown + vi(len(content) + SIGNATURE_AND_KEY_BYTES))


PERIOD = 9


def vectors_bodies(v):
    def body(slots, period=PERIOD):
        return encode_body(CHAIN, GENESIS_MS, period, slots)

    def slots_with(**blocks):
        slots = [None] * 32
        for name, block in blocks.items():
            slots[int(name[1:])] = block
        return slots

    def good(name, desc, slots, period=PERIOD):
        v.good("body", name, desc, {"body": body(slots, period).hex()})

    def bad(name, desc, data):
        v.bad("body", name, desc, {"body": data.hex()}, "CORE_BODY_INVALID")

    all_ops = [TRANSACTION, ROLL_BUY, ROLL_SELL, EXECUTE, CALL]
    plain, two = test_block((PERIOD, 3), []), test_block((PERIOD, 3), [TRANSACTION, CALL])
    lost_id, lost = lost_operation()
    good("no-blocks", "32 proven misses", slots_with())
    good("one-empty-block", "a block without operations", slots_with(t3=plain))
    good("two-blocks", "first and last thread", slots_with(t0=test_block((PERIOD, 0), [ROLL_BUY]), t31=test_block((PERIOD, 31), [])))
    good("every-kind", "all five kinds of operation", slots_with(t3=test_block((PERIOD, 3), all_ops)))
    good("repeated-operation", "an operation listed twice has one body", slots_with(t3=test_block((PERIOD, 3), [TRANSACTION, CALL], [1, 0, 1])))
    good("not-reproducible", "an ExecuteSC of kind 2", slots_with(t3=test_block((PERIOD, 3), [], kinds={lost_id: lost})))
    good("void-threads", "slots undone by a restart of the chain", [VOID] * 30 + [None, None])
    genesis = []
    for t in range(32):
        key, content = genesis_block(t)
        genesis.append({"publicKey": key, "content": content, "operationIds": [], "operations": {}})
    good("genesis-period", "32 genesis blocks from constants", genesis, 0)
    good("period-u64-max", "highest period", slots_with(t3=test_block((2**64 - 1, 3), [])), 2**64 - 1)

    base, empty = body(slots_with(t3=two)), body(slots_with())
    at = 26 + 3  # flag of thread 3
    inner = two["publicKey"] + two["content"] + vi(2) + b"".join(two["operationIds"])
    prefix, suffix = base[:at], b"\0" * 28
    ops = [b"\1" + vbytes(two["operations"][i][1]) for i in two["operationIds"]]

    def rebuilt(inner=inner, count=2, ops=ops, flag=b"\1", suffix=suffix):
        return prefix + flag + vbytes(inner) + vi(count) + b"".join(ops) + suffix

    assert rebuilt() == base
    bad("empty", "no bytes", b"")
    bad("format-0", "format 0", b"\0" + base[1:])
    bad("format-2", "a format to come", b"\2" + base[1:])
    bad("thread-count-31", "threads are 32", empty[:25] + b"\x1f" + empty[26:-1])
    bad("thread-count-33", "threads are 32", empty[:25] + b"\x21" + empty[26:] + b"\0")
    bad("thread-count-0", "threads are 32", empty[:25] + b"\0")
    bad("block-flag-3", "flags are 0 to 2", empty[:26] + b"\3" + empty[27:])
    bad("block-flag-255", "flags are 0 to 2", empty[:-1] + b"\xff")
    bad("truncated-header", "cut within the first numbers", base[:20])
    bad("truncated-last-thread", "one thread short", base[:-1])
    bad("truncated-in-block", "cut within a block", base[:600])
    bad("truncated-in-operation", "cut within an operation", base[:-40])
    bad("trailing-byte", "one byte more", base + b"\0")
    bad("trailing-thread", "a 33rd thread with a block", base + b"\1" + vbytes(inner))
    bad("header-of-another-thread", "the header says thread 4", body(slots_with(t3=test_block((PERIOD, 4), []))))
    bad("header-of-another-period", "the header says the period before", body(slots_with(t3=test_block((PERIOD - 1, 3), []))))
    bad("header-key-version-1", "key of version 1", rebuilt(inner=b"\1" + inner[1:]))
    bad("header-content-broken", "option byte of the header", rebuilt(inner=flip(inner, 34, 1)))
    bad("list-hash-mismatch", "the header covers another list", rebuilt(inner=flip(inner, 33 + 5 + 32 * 33 + 4)))
    bad("list-order-swapped", "the two ids of the list exchanged", rebuilt(inner=inner[:-66] + inner[-33:] + inner[-66:-33], ops=ops[::-1]))
    bad("list-count-too-low", "one id behind the list", rebuilt(inner=inner[:-67] + b"\1" + inner[-66:]))
    bad("list-count-too-high", "three ids announced, two there", rebuilt(inner=inner[:-67] + b"\3" + inner[-66:]))
    bad("list-id-version-1", "id of version 1", rebuilt(inner=inner[:-66] + b"\1" + inner[-65:]))
    bad("list-trailing-byte", "a byte inside the block's length, behind the list", rebuilt(inner=inner + b"\0"))
    bad("block-length-too-short", "the length of the block cuts its list", prefix + b"\1" + vi(len(inner) - 1) + inner + vi(2) + b"".join(ops) + suffix)
    bad("block-length-not-minimal", "length in one byte too many", prefix + b"\1" + vi(len(inner))[:-1] + bytes([vi(len(inner))[-1] | 128, 0]) + inner + vi(2) + b"".join(ops) + suffix)
    bad("block-length-huge", "a length that must not be allocated", prefix + b"\1" + vi(2**62) + inner)
    bad("operation-count-too-low", "one body announced, two ids listed", rebuilt(count=1, ops=ops[:1]))
    bad("operation-count-too-high", "three bodies announced", rebuilt(count=3, ops=ops + ops[:1]))
    bad("operation-count-mismatch", "two announced, one there", rebuilt(ops=ops[:1]))
    bad("operation-count-not-minimal", "2 in two bytes", prefix + b"\1" + vbytes(inner) + b"\x82\0" + b"".join(ops) + suffix)
    bad("operation-missing-last", "no body at all", rebuilt(count=0, ops=[]))
    bad("operation-duplicate", "the first body twice", rebuilt(ops=[ops[0], ops[0]]))
    bad("operation-order", "bodies not in order of first appearance", rebuilt(ops=ops[::-1]))
    bad("operation-id-mismatch", "a bit of a body changed", rebuilt(ops=[flip(ops[0], -1), ops[1]]))
    bad("operation-of-another-chain", "the id was made with another chain id", base[:1] + u64(77) + base[9:])
    bad("operation-swapped", "a body that is in no list", rebuilt(ops=[b"\1" + vbytes(test_key(6) + operation_content(ROLL_BUY)), ops[1]]))
    bad("operation-kind-0", "kinds are 1 and 2", rebuilt(ops=[b"\0" + ops[0][1:], ops[1]]))
    bad("operation-kind-3", "kinds are 1 and 2", rebuilt(ops=[b"\3" + ops[0][1:], ops[1]]))
    raw = two["operations"][two["operationIds"][0]][1]
    bad("operation-trailing-byte", "a byte behind the content, inside its length", rebuilt(ops=[b"\1" + vbytes(raw + b"\0"), ops[1]]))
    bad("operation-repeated-in-full", "a repeated id must have one body, not two", _twice(body, slots_with, ops[0], suffix))
    v_key = test_key(6)

    def lost_body(entry, i=lost_id):
        return body(slots_with(t3=test_block((PERIOD, 3), [], kinds={i: entry})))

    def shown(datastore, size=None):
        content = operation_content({**EXECUTE, "datastore": datastore})
        return 2, v_key + content + vi(size if size is not None else len(content) + 200)

    bad("kind-2-keys-descending", "keys must ascend", lost_body(shown([(b"\2", b"two"), (b"\1", b"one")])))
    bad("kind-2-key-repeated", "each key once", lost_body(shown([(b"\1", b"one"), (b"\1", b"two")])))
    bad("kind-2-key-order-by-length", "ascending as bytes: 0100 comes before 02", lost_body(shown([(b"\2", b""), (b"\1\0", b"")])))
    bad("kind-2-without-size", "serialized_size missing", lost_body((2, lost[1][:-2])))
    bad("kind-2-trailing-byte", "a byte behind serialized_size", lost_body((2, lost[1] + b"\0")))
    bad("kind-2-size-not-minimal", "serialized_size in one byte too many", lost_body((2, lost[1][:-1] + bytes([lost[1][-1] | 128, 0]))))
    transfer = operation_content(TRANSACTION)
    bad("kind-2-transaction", "only ExecuteSC can be not reproducible", lost_body((2, v_key + transfer + vi(len(transfer) + 99))))
    same = operation_content(EXECUTE)
    bad("kind-2-hashes-to-id", "its content hashes to the id: must be kind 1",
        lost_body((2, v_key + same + vi(len(same) + 98)), operation_id(CHAIN, v_key, same)))
    unsorted = operation_content({**EXECUTE, "datastore": EXECUTE["datastore"][::-1]})
    bad("kind-2-order-can-be-found", "another order of its three entries hashes to the id: must be kind 1",
        lost_body((2, v_key + same + vi(len(same) + 98)), operation_id(CHAIN, v_key, unsorted)))
    bad("kind-1-not-reproducible", "a body that does not hash to its id, written as kind 1", lost_body((1, lost[1][:-2])))
    good("kind-1-reordered", "the order found by permutation is written as kind 1",
         slots_with(t3=test_block((PERIOD, 3), [{**EXECUTE, "datastore": EXECUTE["datastore"][::-1]}])))

    slots = slots_with(t3=two, t7=test_block((PERIOD, 7), [ROLL_BUY], [0, 0], signer=4))
    data, seals = body(slots), encode_seals(CHAIN, GENESIS_MS, PERIOD, slots)
    v.good("seals", "two-blocks", "signatures of two headers and three operations", {"body": data.hex(), "seals": seals.hex()})
    v.good("seals", "no-blocks", "nothing signed", {"body": empty.hex(), "seals": seals[:25].hex()})
    v.good("seals", "not-reproducible", "the signature of an operation of kind 2 verifies over its id", {
        "body": lost_body(lost).hex(), "seals": encode_seals(CHAIN, GENESIS_MS, PERIOD, slots_with(t3=test_block((PERIOD, 3), [], kinds={lost_id: lost}))).hex()})
    for name, changed, desc in (("header-signature-flipped", flip(seals, 30), "decodes; the first header's signature is not valid"),
                                ("operation-signature-flipped", flip(seals, -1), "decodes; the last operation's signature is not valid"),
                                ("signatures-swapped", seals[:25] + seals[89:153] + seals[25:89] + seals[153:], "decodes; header and operation exchanged")):
        v.good("seals", name, desc, {"body": data.hex(), "seals": changed.hex()})
    for name, changed, desc in (
            ("empty", b"", "no bytes"), ("format-0", b"\0" + seals[1:], "format 0"), ("format-2", b"\2" + seals[1:], "a format to come"),
            ("another-chain", flip(seals, 8), "chain id differs from BODY"), ("another-genesis", flip(seals, 16), "genesis timestamp differs from BODY"),
            ("another-period", flip(seals, 24), "period differs from BODY"), ("truncated-head", seals[:24], "cut within the numbers"),
            ("truncated-byte", seals[:-1], "last signature a byte short"), ("signature-missing", seals[:-64], "one signature short"),
            ("trailing-byte", seals + b"\0", "one byte more"), ("signature-too-many", seals + seals[-64:], "one signature more"),
            ("with-version-bytes", seals[:25] + b"".join(b"\0" + seals[i:i + 64] for i in range(25, len(seals), 64)), "Massa's version byte before each"),
            ("repeated-operation-signed-twice", seals + seals[-64:], "an operation listed twice has one signature")):
        v.bad("seals", name, desc, {"body": data.hex(), "seals": changed.hex()}, "CORE_SEALS_INVALID")


def vectors_restore(v):
    a, b, c, d, e = ((bytes([n]), b"value %d" % n) for n in range(1, 6))

    def put(name, desc, sent, kind, size=0):
        shown = operation_content({**EXECUTE, "datastore": sorted(dict(sent).items())})
        content = operation_content({**EXECUTE, "datastore": sent})
        i = operation_id(CHAIN, test_key(6), content)
        case = {"chainId": str(CHAIN), "publicKey": test_key(6).hex(), "shown": shown.hex(), "id": text_encode("operationId", i),
                "serializedSize": len(content) + SIGNATURE_AND_KEY_BYTES + size, "signature": test_sign(6, i[1:]).hex()}
        v.good("restore", name, desc, case)
        if json.loads(v.files[f"restore/{name}.json"])["want"]["kind"] != kind:
            raise AssertionError(name)

    put("sorted", "sent in ascending order: nothing to restore", [a, b, c], 1)
    put("no-entries", "nothing to order", [], 1)
    put("two-swapped", "the other order of two", [b, a], 1)
    put("three-rotated", "one of six orders", [c, a, b], 1)
    put("four-reversed", "the last of 24 orders", [d, c, b, a], 1)
    put("five-sorted", "five entries in ascending order need no search", [a, b, c, d, e], 1)
    put("five-swapped", "five entries are not searched", [b, a, c, d, e], 2)
    put("key-repeated", "the first of two entries of one key is lost", [(a[0], b"lost"), a, b], 2)
    put("key-repeated-one-left", "one entry shown of two sent", [(a[0], b"lost"), a], 2)
    put("key-repeated-same-value", "twice the same entry", [a, a, b], 2)


def _twice(body, slots_with, op, suffix):
    once = body(slots_with(t3=test_block((PERIOD, 3), [TRANSACTION], [0, 0])))
    head = once[:len(once) - len(suffix) - len(op) - 1]
    return head + vi(2) + op + op + suffix


def vectors_trees(v):
    for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 17, 20, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 255, 256, 257, 1000, 1023, 1024, 1025):
        v.good("merkle", f"root-{n:04}", f"{n} leaves of 32 bytes", {"kind": "root", "leaves": fill_spec("merkle", 32 * n, leafSize=32)})
    v.good("merkle", "root-empty-leaf", "one leaf of no bytes is not no leaf", {"kind": "root", "leaves": [""]}, sha256(b"\0").hex())
    v.good("merkle", "root-leaves-of-different-length", "a short last leaf", {"kind": "root", "leaves": fill_spec("merkle", 2500, leafSize=1024)})
    v.good("merkle", "root-two-joined", "the bytes of two leaves as one: another root", {"kind": "root", "leaves": [fill("merkle", 64).hex()]})
    leaves7 = [x.hex() for x in expand_list(fill_spec("merkle", 32 * 7, leafSize=32))]

    def proof(n, at, /, **change):
        leaves = expand_list(fill_spec("merkle", 32 * n, leafSize=32))
        hashes = [leaf_hash(x) for x in leaves]
        case = {"kind": "proof", "leaf": leaves[at].hex(), "index": at, "leafCount": n,
                "path": [p.hex() for p in tree_path(hashes, at)], "root": tree_root(hashes).hex()}
        case.update(change)
        return case

    for n, index in ((1, 0), (2, 0), (2, 1), (3, 2), (5, 4), (7, 0), (7, 3), (7, 6), (8, 7), (100, 64), (1000, 999), (1024, 512), (1025, 1024), (16384, 16383)):
        v.good("merkle", f"proof-{n:05}-{index:05}", f"leaf {index} of {n}", proof(n, index), True)
        v.good("merkle", f"path-{n:05}-{index:05}", f"path of leaf {index} of {n}", {"kind": "path", "leaves": fill_spec("merkle", 32 * n, leafSize=32), "index": index})
    v.good("merkle", "leaf-count-not-bound", "RFC 6962 does not bind the number of leaves: this is why a chunk id holds the length",
           proof(7, 0, leafCount=8), True)
    code, path, root = "CORE_MERKLE_PROOF_INVALID", proof(7, 3)["path"], proof(7, 3)["root"]

    def bad(name, desc, case):
        v.bad("merkle", name, desc, case, code)

    for level in range(3):
        for bit, at in ((0, 0), (7, 31)):
            changed = list(path)
            changed[level] = flip(bytes.fromhex(path[level]), at, bit).hex()
            bad(f"sibling-bit-flipped-level-{level}-byte-{at}", "one bit of a sibling", proof(7, 3, path=changed))
    bad("sibling-too-many", "one sibling more", proof(7, 3, path=path + [path[0]]))
    bad("sibling-too-many-zero", "a zero sibling more", proof(7, 3, path=path + ["00" * 32]))
    bad("sibling-too-many-in-front", "one sibling more, at the leaf", proof(7, 3, path=[path[0]] + path))
    bad("sibling-too-few", "the last sibling left out", proof(7, 3, path=path[:-1]))
    bad("sibling-too-few-first", "the first sibling left out", proof(7, 3, path=path[1:]))
    bad("path-empty", "no sibling at all", proof(7, 3, path=[]))
    bad("path-reversed", "from the root down", proof(7, 3, path=path[::-1]))
    bad("path-swapped", "two siblings exchanged", proof(7, 3, path=[path[1], path[0], path[2]]))
    bad("path-of-neighbour", "the path of leaf 2", proof(7, 3, path=proof(7, 2)["path"]))
    bad("path-not-empty-for-one-leaf", "a tree of one leaf has no siblings", proof(1, 0, path=[path[0]]))
    bad("sibling-31-bytes", "a sibling a byte short", proof(7, 3, path=[path[0][:-2], path[1], path[2]]))
    bad("sibling-33-bytes", "a sibling a byte long", proof(7, 3, path=[path[0] + "00", path[1], path[2]]))
    bad("sibling-empty", "an empty sibling", proof(7, 3, path=["", path[1], path[2]]))
    for index in (0, 1, 2, 4, 6):
        bad(f"wrong-index-{index}", "the proof of leaf 3 with another index", proof(7, 3, index=index))
    bad("index-equals-count", "indexes end at 6", proof(7, 6, index=7))
    bad("index-far-out", "indexes end at 6", proof(7, 3, index=7 + 8))
    bad("index-plus-2-to-32", "must not be cut to 32 bits", proof(7, 3, index=3 + 2**32))
    bad("leaf-count-0", "no tree", proof(7, 3, leafCount=0))
    bad("leaf-count-one-less", "leaf 6 does not exist among 6", proof(7, 6, leafCount=6))
    bad("leaf-count-one-more", "leaf 6 of 8 has three siblings", proof(7, 6, leafCount=8))
    bad("leaf-count-half", "four leaves: two siblings", proof(7, 3, leafCount=4))
    bad("leaf-count-double", "14 leaves: four siblings", proof(7, 3, leafCount=14))
    bad("leaf-bit-flipped", "one bit of the leaf", proof(7, 3, leaf=flip(bytes.fromhex(leaves7[3])).hex()))
    bad("leaf-longer", "a zero byte behind the leaf", proof(7, 3, leaf=leaves7[3] + "00"))
    bad("leaf-empty", "no leaf", proof(7, 3, leaf=""))
    bad("leaf-hash-as-leaf", "the leaf's hash in place of the leaf", proof(7, 3, leaf=leaf_hash(bytes.fromhex(leaves7[3])).hex()))
    h = [leaf_hash(bytes.fromhex(x)) for x in leaves7]
    bad("node-as-leaf", "an inner node's two children presented as a leaf one level up", {
        "kind": "proof", "leaf": (h[2] + h[3]).hex(), "index": 1, "leafCount": 4, "path": path[1:], "root": root})
    bad("node-as-leaf-with-prefix", "the same with the node's prefix inside", {
        "kind": "proof", "leaf": (b"\1" + h[2] + h[3]).hex(), "index": 1, "leafCount": 4, "path": path[1:], "root": root})
    bad("root-bit-flipped", "one bit of the root", proof(7, 3, root=flip(bytes.fromhex(root)).hex()))
    bad("root-of-other-tree", "the root of the first six leaves", proof(7, 3, root=tree_root(h[:6]).hex()))
    bad("root-without-leaf-prefix", "a tree whose leaves have no prefix", proof(1, 0, root=sha256(bytes.fromhex(leaves7[0])).hex()))
    bad("root-duplicated-last-leaf", "a tree that doubles an odd last leaf", proof(3, 2, root=node_hash(node_hash(h[0], h[1]), node_hash(h[2], h[2])).hex()))
    bad("root-31-bytes", "a root a byte short", proof(7, 3, root=root[:-2]))

    for n in (1, 2, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 5000, 65536, 1_000_000, 1_047_553, 1_048_575, 1_048_576):
        v.good("chunk", f"length-{n}", f"{n} bytes", {"data": fill_spec("chunk", n)})
    v.good("chunk", "zero-byte-more", "a zero byte behind 5,000 bytes: another id", {"data": (fill("chunk", 5000) + b"\0").hex()})
    v.good("chunk", "one-zero-byte", "a single zero byte", {"data": "00"})

    ids = [fill(f"chunk id {i}", 32) for i in range(10)]
    base = {"chainId": CHAIN, "genesisMs": GENESIS_MS, "period": 100, "bitmap": 0xFFFDFFFE, "chunks": [(500, ids[0])]}
    three = {**base, "chunks": [(CHUNK_BYTES, ids[0]), (CHUNK_BYTES, ids[1]), (1, ids[2])]}
    for name, m, desc in (("one-chunk", base, "an ordinary period"), ("three-chunks", three, "only the last may be shorter"),
                          ("full-last-chunk", {**base, "chunks": [(CHUNK_BYTES, ids[0])] * 2}, "length a multiple of the chunk size, equal chunks"),
                          ("ten-chunks", {**base, "chunks": [(CHUNK_BYTES, i) for i in ids]}, "a full period"),
                          ("numbers-highest", {**base, "chainId": 2**64 - 1, "genesisMs": 2**64 - 1, "period": 2**64 - 1, "bitmap": 2**32 - 1}, "all bits set"),
                          ("no-blocks", {**base, "bitmap": 0, "chunks": [(58, ids[3])]}, "a period of misses")):
        v.good("manifest", name, desc, {"manifest": encode_manifest(m).hex()})
    a, b = encode_manifest(base), encode_manifest(three)
    for name, data, desc in (
            ("empty", b"", "no bytes"), ("version-0", b"\0" + a[1:], "version 0"), ("version-2", b"\2" + a[1:], "a version to come"),
            ("codec-1", a[:1] + b"\1" + a[2:], "codecs other than replica are reserved"), ("codec-255", a[:1] + b"\xff" + a[2:], "codecs other than replica are reserved"),
            ("truncated-head", a[:20], "cut within the numbers"), ("truncated-count", a[:33], "cut within the chunk count"), ("truncated-byte", a[:-1], "last chunk id a byte short"),
            ("truncated-chunk", b[:-36], "a chunk short"), ("trailing-byte", a + b"\0", "one byte more"), ("trailing-chunk", a + a[-36:], "a chunk more than the count"),
            ("count-0", encode_manifest({**base, "chunks": []}), "there is always at least one chunk"),
            ("count-0-with-chunk", a[:30] + u32(0) + a[34:], "count 0 before a chunk"), ("count-too-low", b[:30] + u32(2) + b[34:], "two announced, three there"),
            ("count-huge", a[:30] + b"\xff" * 4 + a[34:], "a count that must not be allocated"),
            ("length-0", encode_manifest({**base, "chunks": [(0, ids[0])]}), "no chunk is empty"), ("last-length-0", encode_manifest({**base, "chunks": [(CHUNK_BYTES, ids[0]), (0, ids[1])]}), "an empty last chunk"),
            ("length-over-chunk-size", encode_manifest({**base, "chunks": [(CHUNK_BYTES + 1, ids[0])]}), "longer than a chunk"),
            ("length-u32-max", encode_manifest({**base, "chunks": [(2**32 - 1, ids[0])]}), "longer than a chunk"),
            ("first-chunk-short", encode_manifest({**base, "chunks": [(CHUNK_BYTES - 1, ids[0]), (5, ids[1])]}), "only the last may be shorter"),
            ("middle-chunk-short", encode_manifest({**base, "chunks": [(CHUNK_BYTES, ids[0]), (7, ids[1]), (7, ids[2])]}), "only the last may be shorter"),
            ("without-codec", a[:1] + a[2:], "codec left out")):
        v.bad("manifest", name, desc, {"manifest": data.hex()}, "CORE_MANIFEST_INVALID")

    for name, change, count, desc in (
            ("one-chunk", {}, 1, "the root every other case differs from"), ("two-chunks", {}, 2, "a second chunk"), ("ten-chunks", {}, 10, "a full period"),
            ("chain-id", {"chainId": "77"}, 1, "another chain"), ("genesis", {"genesisTimestampMs": str(GENESIS_MS + 1)}, 1, "another genesis"), ("period", {"period": "101"}, 1, "another period"),
            ("bitmap-bit-0", {"bitmap": 0xFFFDFFFF}, 1, "thread 0 has a block"), ("bitmap-bit-31", {"bitmap": 0x7FFDFFFE}, 1, "thread 31 has none"), ("bitmap-0", {"bitmap": 0}, 1, "no blocks"),
            ("numbers-highest", {"chainId": str(2**64 - 1), "genesisTimestampMs": str(2**64 - 1), "period": str(2**64 - 1), "bitmap": 2**32 - 1}, 1, "all bits set")):
        case = {"chainId": str(CHAIN), "genesisTimestampMs": str(GENESIS_MS), "period": "100", "bitmap": 0xFFFDFFFE,
                "chunkIds": fill_spec("period root", 32 * count, leafSize=32), **change}
        v.good("period-root", name, desc, case)
    for name, change, desc in (("plain", {}, "the root every other case differs from"), ("chain-id", {"chainId": "77"}, "another chain"), ("genesis", {"genesisTimestampMs": "0"}, "another genesis"),
                               ("era", {"era": "13"}, "another era"), ("total-bytes", {"totalBytes": "12800001"}, "one byte more"), ("total-chunks", {"totalChunks": "129"}, "one chunk more"),
                               ("another-root", {"periodRoots": fill_spec("another era", 32 * 128, leafSize=32)}, "other periods"),
                               ("numbers-highest", {n: str(2**64 - 1) for n in ("chainId", "genesisTimestampMs", "era", "totalBytes", "totalChunks")}, "all bits set")):
        v.good("era-root", name, desc, {"chainId": str(CHAIN), "genesisTimestampMs": str(GENESIS_MS), "era": "12", "totalBytes": "12800000", "totalChunks": "128",
                                        "periodRoots": fill_spec("era", 32 * 128, leafSize=32), **change})


GOLDEN_NODES = [("AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268", 100, ("3f6ec6553a8fa333", "3fa6b01c0a5d9e14", "3fa0bb825cbc9371"), 14747),
                ("AU12dG5xP1RDEB5ocdHkymNVvvSJmUL9BgHwCksDowqmGWxfpm93x", 10, ("3fc07fbb833dcc1a", "3f903f234e0f0c00", "3fb7f33a3e0bfacd"), 1486),
                ("AU1NQmBA9yg9T45RKtqpCyfk3bBuKxAWi8pz9huMqjRU22Y2y2ji", 1, ("3fc6c81b8932a700", "3facca93e3540400", "3ffe406a85e382e0"), 151)]


def vectors_placement(v):
    ends = [0, 1, 16383]
    golden = [{"address": a, "placementGb": gb} for a, gb, _, _ in GOLDEN_NODES]
    for n, (address, gb, scores, _) in enumerate(GOLDEN_NODES):
        v.good("placement", f"score-golden-{n}", f"{gb} GB", {"kind": "score", "address": address, "placementGb": gb, "hashSlots": ends}, list(scores))
        v.good("placement", f"ticket-{n}", "52 bits each", {"kind": "ticket", "address": address, "hashSlots": ends + [2, 8191, 8192]})
    v.good("placement", "first-ranks-golden", "hash slots in which each is first", {"kind": "firstRanks", "nodes": golden}, {a: n for a, _, _, n in GOLDEN_NODES})
    some = list(range(0, 16384, 512)) + [16383]
    v.good("placement", "rank-golden", "order of the three", {"kind": "rank", "nodes": golden, "hashSlots": some})
    many = [{"address": test_address(n), "placementGb": 1 + n * n % 50} for n in range(10, 30)]
    v.good("placement", "rank-twenty", "twenty nodes", {"kind": "rank", "nodes": many, "hashSlots": some[:12]})
    v.good("placement", "rank-order-of-input", "the same nodes in another order: the same ranks", {"kind": "rank", "nodes": many[::-1], "hashSlots": some[:12]})
    v.good("placement", "rank-zero-gb", "nodes with 0 are left out", {"kind": "rank", "nodes": golden + [{"address": test_address(9), "placementGb": 0}], "hashSlots": ends})
    v.good("placement", "rank-nobody", "no nodes", {"kind": "rank", "nodes": [], "hashSlots": ends}, [[], [], []])
    v.good("placement", "first-ranks-equal", "two nodes of equal weight", {"kind": "firstRanks", "nodes": [{**n, "placementGb": 7} for n in many[:2]]})
    for gb in (2, 3, 1000, 4_000_000_000):
        v.good("placement", f"score-{gb}-gb", f"{gb} GB", {"kind": "score", "address": test_address(10), "placementGb": gb, "hashSlots": ends})
    for name, value in (("half", 0.5), ("one", 1.0), ("one-and-a-half", 1.5), ("two", 2.0), ("just-below-two", 2 - 2**-52), ("ten", 10.0), ("2-to-51-and-half", 2**51 + 0.5),
                        ("highest-ticket", 2**52 - 0.5), ("middle", 1234567890123.5)):
        v.good("placement", f"logarithm-{name}", f"ln({value!r})", {"kind": "logarithm", "value": double_hex(value)})
    for name, chunk in (("zero", bytes(32)), ("one", bytes(31) + b"\1"), ("last-14-bits", b"\xff" * 32), ("16384", bytes(30) + b"\x40\0"), ("16383", bytes(30) + b"\x3f\xff"), ("random", fill("slot", 32))):
        v.good("placement", f"hash-slot-{name}", "chunk id modulo 16,384", {"kind": "hashSlot", "chunkId": chunk.hex()})


def vectors_challenge(v):
    contract = text_encode("address", CONTRACT)
    small, one = fill("chunk", 5000), b"\7"
    big_spec = fill_spec("chunk", 1_048_576)
    big = expand(big_spec)
    seed_case = {"kind": "seed", "label": "challenge", "chainId": str(CHAIN), "contract": contract, "challengeId": "m-1", "node": test_address(10),
                 "chunkId": chunk_id(small).hex(), "nonce": "42", "issuedPeriod": "1000"}
    for name, change, desc in (("plain", {}, "the seed every other case differs from"), ("rehearsal", {"label": "rehearsal", "issuedPeriod": "0"}, "off chain"), ("chain-id", {"chainId": "77"}, "another chain"),
                               ("contract", {"contract": text_encode("address", b"\1\0" + sha256(b"x"))}, "another contract"), ("challenge-id", {"challengeId": "m-2"}, "another challenge"),
                               ("challenge-id-64", {"challengeId": "a" * 64}, "longest id"), ("node", {"node": test_address(11)}, "another node"), ("chunk", {"chunkId": chunk_id(one).hex()}, "another chunk"),
                               ("nonce", {"nonce": str(2**64 - 1)}, "highest nonce"), ("issued-period", {"issuedPeriod": "1001"}, "a reused id is a new challenge")):
        v.good("challenge", f"seed-{name}", desc, {**seed_case, **change})
    seed = bytes.fromhex(run_challenge(seed_case))
    for n in (1, 2, 5, 977, 1000, 1024):
        v.good("challenge", f"samples-of-{n}", f"first 8 of {n} leaves", {"kind": "samples", "seed": seed.hex(), "leafCount": n, "count": 8})

    def proof(data, samples=2, **change):
        return {"kind": "verify", "chunkId": chunk_id(data).hex(), "seed": seed.hex(), "samples": samples, "proof": make_proof(data, seed, samples).hex(), **change}

    for name, data, k in (("one-byte", one, 2), ("1024", fill("chunk", 1024), 2), ("1025", fill("chunk", 1025), 2), ("5000", small, 2), ("5000-eight-samples", small, 8),
                          ("5000-one-sample", small, 1), ("full-chunk", big, 2), ("full-chunk-eight-samples", big, 8), ("1047553", fill("chunk", 1_047_553), 8)):
        v.good("challenge", f"proof-{name}", f"{len(data)} bytes, {k} samples", proof(data, k), True)
    v.good("challenge", "prove-5000", "the proof itself", {"kind": "prove", "data": fill_spec("chunk", 5000), "seed": seed.hex(), "samples": 2}, make_proof(small, seed, 2).hex())
    v.good("challenge", "prove-full-chunk", "the proof itself", {"kind": "prove", "data": big_spec, "seed": seed.hex(), "samples": 2}, make_proof(big, seed, 2).hex())
    count = leaf_count_of(len(small))
    good = make_proof(small, seed, 2)
    indexes = [sample_index(seed, i, count) for i in range(2)]
    sizes = [min(LEAF_BYTES, len(small) - i * LEAF_BYTES) for i in indexes]
    second = 36 + sizes[0] + 32 * path_length(indexes[0], count)
    bad_proofs = {
        "empty": (b"", "no bytes"), "head-only": (good[:36], "no sample"), "truncated-byte": (good[:-1], "last sibling a byte short"), "truncated-head": (good[:20], "cut within the root"),
        "trailing-byte": (good + b"\0", "one byte more"), "trailing-sample": (make_proof(small, seed, 3), "three samples where two are due"),
        "sample-missing": (make_proof(small, seed, 1), "one sample where two are due"), "samples-swapped": (good[:36] + good[second:] + good[36:second], "second sample first"),
        "first-sample-twice": (good[:second] + good[36:second], "the first sample in place of the second"),
        "leaf-bit-flipped": (flip(good, 36), "one bit of the first leaf"), "last-leaf-bit-flipped": (flip(good, second), "one bit of the second leaf"),
        "sibling-bit-flipped": (flip(good, second - 1), "one bit of a sibling"), "last-sibling-bit-flipped": (flip(good, -1), "one bit of the last sibling"),
        "tree-root-flipped": (flip(good, 4), "one bit of the tree root"), "sibling-too-many": (good[:second] + good[second - 32:second] + good[second:], "a sibling more in the first path"),
        "sibling-too-few": (good[:second - 32] + good[second:], "a sibling less in the first path"),
        "length-plus-1": (u32(len(small) + 1) + good[4:], "a byte more than the chunk has"), "length-minus-1": (u32(len(small) - 1) + good[4:], "a byte less than the chunk has"),
        "length-0": (u32(0) + good[4:], "no chunk is empty"), "length-little-endian": (len(small).to_bytes(4, "little") + good[4:], "length written backwards"),
        "of-other-chunk": (make_proof(fill("other chunk", 5000), seed, 2), "a good proof of another chunk"), "of-zeros": (make_proof(bytes(5000), seed, 2), "a good proof of 5,000 zero bytes"),
    }
    for name, (data, desc) in bad_proofs.items():
        v.bad("challenge", f"bad-{name}", desc, proof(small, proof=data.hex()), "CORE_PROOF_INVALID")
    other_seed = next(s for s in (sha256(b"other seed" + bytes([i])) for i in range(99)) if [sample_index(s, i, count) for i in range(2)] != indexes)
    v.bad("challenge", "bad-of-other-seed", "a good proof for another seed", proof(small, proof=make_proof(small, other_seed, 2).hex()), "CORE_PROOF_INVALID")
    fewer = LEAF_BYTES  # a prover that kept one leaf claims that it is the whole chunk
    forged = u32(fewer) + leaf_hash(small[:fewer]) + small[:fewer] * 2
    v.bad("challenge", "bad-fewer-leaves-claimed", "a prover that kept one leaf calls it the whole chunk", proof(small, proof=forged.hex()), "CORE_PROOF_INVALID")
    over = fill("chunk", MAX_SAMPLE_CHUNK_BYTES + 1)
    verify_proof(chunk_id(over), seed, 2, make_proof(over, seed, 2), len(over))  # nothing but the bound speaks against it
    v.bad("challenge", "bad-length-over-1-mib", "no chunk is longer than 1,048,576, even when its id and its 1,025 leaves say so", proof(over), "CORE_PROOF_INVALID")
    zero = sha256(b"")
    v.bad("challenge", "bad-length-0-with-matching-id", "an id made of length 0", {**proof(small), "chunkId": chunk_id_of(0, zero).hex(), "proof": (u32(0) + zero).hex()}, "CORE_PROOF_INVALID")
    last_seed = next(s for s in (sha256(b"last leaf" + u32(i)) for i in range(999)) if sample_index(s, 0, count) == count - 1)
    cut_proof = make_proof(small, last_seed, 1)
    last = len(small) - (count - 1) * LEAF_BYTES
    v.good("challenge", "proof-last-leaf", "the last leaf is shorter", {**proof(small, 1), "seed": last_seed.hex(), "proof": cut_proof.hex()}, True)
    v.bad("challenge", "bad-last-leaf-padded", "the last leaf filled up with zeros", {
        **proof(small, 1), "seed": last_seed.hex(), "proof": (cut_proof[:36 + last] + bytes(LEAF_BYTES - last) + cut_proof[36 + last:]).hex()}, "CORE_PROOF_INVALID")

    for label in ("proof", "rehearsal"):
        case = {"kind": "proofText", "label": label, "seed": seed.hex(), "proof": good.hex()}
        v.good("challenge", f"text-{label}", "text to sign", case)
    text = proof_text(seed, good)
    for name, signed, desc in (("good", text, "Ed25519 over BLAKE3 of the text"), ("other-text", text + " ", "a signature of another text")):
        v.good("challenge", f"sign-text-{name}", desc, {"kind": "signText", "publicKey": test_key(10).hex(), "text": text, "signature": (b"\0" + sign_text(test_secret(10), signed)).hex()})
    v.good("challenge", "sign-text-without-blake3", "a signature of the text itself", {
        "kind": "signText", "publicKey": test_key(10).hex(), "text": text, "signature": (b"\0" + ed25519_sign(test_secret(10), text.encode())).hex()})
    ids = [block_id_text(fill(f"block {t}", 32)) for t in range(30)]
    v.good("challenge", "draw-text", "30 blocks in the period", {"kind": "drawText", "period": "1000", "blockIds": ids})
    v.good("challenge", "draw-text-no-blocks", "a period of misses", {"kind": "drawText", "period": "1000", "blockIds": []})
    v.good("challenge", "draw-text-order", "two ids exchanged: another text", {"kind": "drawText", "period": "1000", "blockIds": [ids[1], ids[0]] + ids[2:]})
    draw_signature = sign_text(test_secret(10), draw_text(1000, [text_decode("blockId", b) for b in ids]))
    numbers = [{"i": i, "modulo": str(m)} for i, m in ((0, 1), (0, 3), (0, 100), (1, 10**12), (2, 2**64 - 1), (3, 2**63), (127, 977), (128, 12_800_000))]
    v.good("challenge", "draw-numbers", "D = H(signature), D_i mod n as 256-bit integers, nonce, id and the seeds of an audit",
           {"kind": "drawNumbers", "signature": draw_signature.hex(), "numbers": numbers})
    nodes, eras = [test_address(n) for n in range(10, 15)], []
    for era in (3, 5, 9):
        chunks = [{"period": str(era * 128 + p), "index": i, "bytes": 1 + int.from_bytes(fill(f"size {era} {p} {i}", 3), "big") % CHUNK_BYTES, "chunkId": fill(f"id {era} {p} {i}", 32).hex()}
                  for p in range(0, 128, 32) for i in range(2)]
        eras.append({"era": str(era), "bytes": str(sum(c["bytes"] for c in chunks)), "chunks": chunks})
    every = [(e["era"], hash_slot(bytes.fromhex(c["chunkId"]))) for e in eras for c in e["chunks"]]
    holders = {a: sorted({s for n, (_, s) in enumerate(every) if (n + k) % 4 == 0}) for k, a in enumerate(nodes)}
    last_only = {a: sorted({s for e, s in every if e == "9"})[:1] for a in nodes}
    for n in range(4):
        v.good("challenge", f"select-{n}", "node and chunk of a draw", {"kind": "select", "draw": fill(f"draw {n}", 32).hex(), "holders": holders, "eras": eras})
    for n in range(3):
        v.good("challenge", f"select-tries-{n}", "a node that holds one chunk of one era: t counts the tries", {"kind": "select", "draw": fill(f"try {n}", 32).hex(), "holders": last_only, "eras": eras})
    v.good("challenge", "select-none-due", "the node holds nothing: no challenge is due", {"kind": "select", "draw": fill("draw", 32).hex(), "holders": {nodes[0]: []}, "eras": eras}, None)
    era_case = {"kind": "eraText", "chainId": str(CHAIN), "contract": contract, "era": "12", "eraRoot": fill("era root", 32).hex(), "totalBytes": "12800000", "totalChunks": "128",
                "nextPlacementRoot": fill("placement root", 32).hex()}
    for name, change in (("plain", {}), ("era", {"era": "13"}), ("bytes", {"totalBytes": "12800001"}), ("contract", {"contract": ""}), ("placement", {"nextPlacementRoot": "00" * 32})):
        v.good("challenge", f"era-text-{name}", "text of an era signature", {**era_case, **change})
    golden = [{"address": a, "placementGb": gb} for a, gb, _, _ in GOLDEN_NODES]
    more = golden + [{"address": test_address(n), "placementGb": n} for n in (10, 11)]
    place = {"kind": "placementRoot", "chainId": str(CHAIN), "genesisTimestampMs": str(GENESIS_MS), "era": "13"}
    for name, nodes_, r, desc in (("nobody", [], 3, "no holders at all: m = 0 everywhere"), ("one-node", golden[:1], 3, "fewer nodes than replicas"), ("three-of-five", more, 3, "first three in rank"),
                                  ("five-of-five", more, 5, "all of them, in rank")):
        v.good("challenge", f"placement-root-{name}", f"{desc} (all of different operators and networks, no bound on capacity)", {**place, "nodes": nodes_, "replicas": r})
    v.good("challenge", "placement-root-era", "another era", {**place, "era": "14", "nodes": more, "replicas": 3})


README = """# Vectors

One case per file, `<area>/<case>.json`, named for what is special or wrong about it. Written by `test/reference/massa_archive.py vectors test/vectors`, an
implementation in another language that shares no code with ours; `... vectors test/vectors --check` fails when a file differs, is missing or is too many.

Every case has `desc`, its inputs, and either `want` (the result) or `wantErr` (an error code). Bytes are lower-case hex, u64 are decimal strings, u32 and smaller
are numbers, ids and addresses are Massa's text. Bytes may also be given as `{"fill": "sha256-counter", "seed": S, "length": N}`: SHA-256(S as UTF-8 || u32 big
endian counter) for counter 0, 1, ..., concatenated and cut to N bytes; with `leafSize` they stand for a list, cut into pieces of that size.
An error inside an area carries the area's code, whatever the cause (a varint that is not minimal inside a header is `CORE_BYTES_INVALID`).

| area | inputs | `want` | code |
|---|---|---|---|
| base58check | `type` (`raw`, `publicKey`, `secretKey`, `signature`, `hash`, `address`, `blockId`, `operationId`, `endorsementId`), `text` | bytes with version, address with kind; encoding them gives `text` | CORE_BASE58_INVALID |
| leb128 | `bytes` (all of them), `max` | the number | CORE_VARINT_INVALID |
| block-header | `content`; good ones also `publicKey` (33), `signature` (65) | fields, `hash`, `id`, `signedHash`, `serializedSize`, `creator`, `signatureValid` (own and of each endorsement), denunciations | CORE_BYTES_INVALID |
| operation | `chainId`, `content`; good ones also `publicKey`, `signature` | `operation` (numbers as strings), `idHash`, `id`, `creator`, `creatorThread`, `serializedSize`, `signatureValid` | CORE_BYTES_INVALID |
| endorsement | `content`; good ones also `publicKey`, `signature` | fields, `idHash`, `id`, `signedHash`, `signatureValid` | CORE_BYTES_INVALID |
| denunciation | `bytes` | fields, `signaturesValid` [first, second] | CORE_BYTES_INVALID |
| ed25519 | `publicKey` (32), `message`, `signature` (64), any of them of wrong length | true or false by RFC 8032 without cofactor; `zip215`: what the rule of ZIP-215 says | |
| blake3, sha256 | `data` | the hash | |
| body | `body` | numbers, `bitmap`, `voidThreads`, blocks with ids and kinds of operations, `chunkIds`, `root`; encoding what was decoded gives `body` | CORE_BODY_INVALID |
| seals | `body` (good), `seals` | signatures of 64 bytes per block, `signaturesValid`: all of them | CORE_SEALS_INVALID |
| restore | an ExecuteSC as the node shows it: `shown` (content, keys ascending, each once), with the true `id`, `serializedSize`, `signature` | `kind` and `bytes` of its entry in BODY | |
| merkle | kind `root`: `leaves` (data, not hashes); `path`: `leaves`, `index`; `proof`: `leaf` (data), `index`, `leafCount`, `path`, `root` | root; siblings from the leaf up; true | CORE_MERKLE_PROOF_INVALID |
| chunk | `data` | `byteLength`, `leafCount`, `treeRoot`, `chunkId` | |
| manifest | `manifest` | fields and `root`; encoding them gives `manifest` | CORE_MANIFEST_INVALID |
| period-root | `chainId`, `genesisTimestampMs`, `period`, `bitmap`, `chunkIds` | root | |
| era-root | `chainId`, `genesisTimestampMs`, `era`, `totalBytes`, `totalChunks`, `periodRoots` | root | |
| placement | kind `hashSlot`: `chunkId`; `ticket`: `address`, `hashSlots`; `logarithm`: `value`; `score`: `address`, `placementGb`, `hashSlots`; `rank`: `nodes`, `hashSlots`; `firstRanks`: `nodes` | number; tickets; double; doubles; addresses per hash slot; hash slots in which each is first. Doubles as 16 hex digits, big endian | |
| challenge | kind `seed`, `samples`, `prove`, `verify`, `proofText`, `signText`, `drawText`, `drawNumbers`, `select`, `eraText`, `placementRoot` | see docs/FORMAT.md, Challenge and Placement root; `verify`: true | CORE_PROOF_INVALID |
| protocol | `message` (a name of docs/PROTOCOL.md), `bytes`; written by `test/reference/protocol_messages.py`, numbers below 2^53 as numbers | the message; encoding it gives `bytes` | PROTOCOL_MESSAGE_INVALID, PROTOCOL_VERSION_UNKNOWN |

challenge, in detail: `label` is `challenge` / `proof` or `rehearsal`; `samples` is k; `signText.signature` is 65 bytes, `digest` = BLAKE3 of the text; `drawNumbers.want.numbers`
[n] = D_i mod modulo of `numbers`[n], `audit`[j] = H(D || u8 j); `select` has per holder its hash slots and per era its bytes and chunks, `want` null means that no challenge is due;
`placementRoot` takes the first `replicas` of each hash slot in rank.
"""


def vectors_command(args):
    v = Vectors()
    for make in (vectors_atoms, vectors_hashes, vectors_blocks, vectors_operations, vectors_ed25519, vectors_bodies, vectors_restore, vectors_trees,
                 vectors_placement, vectors_challenge):
        make(v)
    files = {**v.files, "README.md": README}
    for path, text in files.items():
        if len(text) > 200_000:
            raise NotMassa(f"{path} is longer than 200 kB")
    on_disk = {os.path.relpath(os.path.join(folder, name), args.outdir).replace(os.sep, "/"): os.path.join(folder, name)
               for folder, _, names in os.walk(args.outdir) for name in names}
    # Other generators may keep areas of their own beside ours; only what stands in our areas must be ours.
    areas = {path.split("/")[0] for path in files if "/" in path}
    extra = {path for path in on_disk if "/" in path and path.split("/")[0] in areas and path not in files}
    if args.check:
        wrong = sorted(extra | {path for path, text in files.items() if path not in on_disk
                                or open(on_disk[path], encoding="utf-8", newline="").read() != text})
        for path in wrong:
            print(f"differs: {path}")
    else:
        wrong = []
        for path in extra:
            os.remove(on_disk[path])
        for path, text in files.items():
            target = os.path.join(args.outdir, path)
            os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
            with open(target, "w", encoding="utf-8", newline="") as f:
                f.write(text)
    negative = sum('"wantErr"' in t or '"want": false' in t or 'Valid": false' in t for t in v.files.values())
    print(f"{len(v.files)} vectors, {negative} negative, {sum(map(len, files.values()))} bytes, {len(wrong)} differ")
    return 1 if wrong else 0


# ------------------------------------------------------------------------------------------------------------ self-test

RFC8032 = [  # secret, public key, message, signature (RFC 8032 7.1)
    ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42", "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
]

BLAKE3_OFFICIAL = {  # input byte i = i mod 251
    0: "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
    1: "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213",
    1023: "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11",
    1024: "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7",
    1025: "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444",
    2048: "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a",
    2049: "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030",
    3072: "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2",
    3073: "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3",
    4096: "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969",
    4097: "9b4052b38f1c5fc8b1f9ff7ac7b27cd242487b3d890d15c96a1c25b8aa0fb995",
    5120: "9cadc15fed8b5d854562b26a9536d9707cadeda9b143978f319ab34230535833",
    5121: "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff",
    6144: "3e2e5b74e048f3add6d21faab3f83aa44d3b2278afb83b80b3c35164ebeca205",
    6145: "f1323a8631446cc50536a9f705ee5cb619424d46887f3c376c695b70e0f0507f",
    7168: "61da957ec2499a95d6b8023e2b0e604ec7f6b50e80a9678b89d2628e99ada77a",
    7169: "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817",
    8193: "bab6c09cb8ce8cf459261398d2e7aef35700bf488116ceb94a36d0f5f1b7bc3b",
    16384: "f875d6646de28985646f34ee13be9a576fd515f76b5b0a26bb324735041ddde4",
    31744: "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47",
    102400: "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085",
}

MAINNET = {
    "header": "9293ff2d77a1acd7a3941f041956e24d5d631bbf799f5c583ceb702192374017", "id": "B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW",
    "contentHash": "9ea638d94fa00ac47c98fed4a79d542631a3a0dae5c657cb0bc820a5228a60f6", "signedHash": "912818668281bae5da34ff99ce41c88e4807202f27b1f0f5f98b2548516158a6",
    "operation": "O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1", "endorsement": "E1tLhTfCHR5sgrHfRNySzLp1U4gEvNenSeqZq6asW277rf3UvAw",
    "endorsementSigned": "bad2da8f8785a90d29b9edd6b864b9fbaf658337b08cd8d93ff05f14d541dc97", "listHash": "H68uCuVbhxqiBFChEdKuj3esFnvTa7mpbC33dQB9YraukpNwR",
}


def selftest_command(args):
    failed = []

    def check(what, got, want=True):
        if got != want:
            failed.append(what)
            print(f"FAILED {what}: {got} is not {want}")

    for length, digest in BLAKE3_OFFICIAL.items():
        check(f"BLAKE3 of {length} bytes", blake3(bytes(i % 251 for i in range(length))).hex(), digest)
    for secret, key, message, signature in RFC8032:
        secret, key, message, signature = map(bytes.fromhex, (secret, key, message, signature))
        check("RFC 8032 key", ed25519_public_key(secret), key)
        check("RFC 8032 signature", ed25519_sign(secret, message), signature)
        for verify in (ed25519_verify, ed25519_verify_zip215):
            check("RFC 8032 verify", verify(key, message, signature))
            check("RFC 8032 refuses", verify(key, message + b"x", signature), False)
    for _ in range(2 * COMB_AFTER_USES):  # both ways to multiply a key
        check("table of a key", ed25519_verify(key, message, signature))
        check("table of a key refuses", ed25519_verify(key, message, flip(signature, 33)), False)
    for thread, text in ((0, "B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu"), (1, "B123woE2RThbeDsNuC7fxs7aUokcpbVjWFBReA1CVf3iWPyQaJAz"),
                         (31, "B1toRY59cPvuFNxD6egDjQ3wE8fHQ1zTZ5UEeeQDZWgKbT4qiqY")):
        check(f"genesis id {thread}", text_encode("blockId", genesis_ids()[thread]), text)
    check("genesis address", text_encode("address", user_address(genesis_block(0)[0])), "AU12bmDrXHNzb5Ugv1PhEoq871uK6boy51bHx9wgKc6D3TLa6zyZ")
    check("empty list", text_encode("hash", EMPTY_LIST_HASH), "2L74kakRTYGfjyUWN1M1AHeSK591CYEBuB7tGbh714AJ7E7NeB")
    check("id of blk", block_id_text(blake3(b"blk")), "B12iL52kye2CraMXdkdKDxjZJXF9it6E4hz8KEj656QnhvwocvBX")
    for address, gb, scores, _ in GOLDEN_NODES:
        check(f"scores of {address}", tuple(double_hex(score(address, gb, s)) for s in (0, 1, 16383)), scores)
    check("first ranks", run_placement({"kind": "firstRanks", "nodes": [{"address": a, "placementGb": gb} for a, gb, _, _ in GOLDEN_NODES]}),
          {a: n for a, _, _, n in GOLDEN_NODES})
    names = Vectors()
    for make in (vectors_blocks, vectors_operations):
        make(names)
    op = json.loads(names.files["operation/mainnet-transaction.json"])["want"]
    check("mainnet operation", (op["id"], op["signatureValid"], op["creatorThread"], op["serializedSize"]), (MAINNET["operation"], True, 4, 138))
    check("list of one", text_encode("hash", list_hash([text_decode("operationId", op["id"])])), MAINNET["listHash"])
    endorsement = json.loads(names.files["endorsement/mainnet-4000000.json"])["want"]
    check("mainnet endorsement", (endorsement["id"], endorsement["signedHash"], endorsement["signatureValid"]),
          (MAINNET["endorsement"], MAINNET["endorsementSigned"], True))
    if args.fixtures:
        selftest_fixtures(args.fixtures, check)
    print(f"selftest: {len(failed)} failed")
    return 1 if failed else 0


def selftest_fixtures(folder, check):
    """The protobuf records of mainnet: block_4M_t0.bin, endo_t0.bin, op_real.bin."""
    def read(name):
        with open(os.path.join(folder, name), "rb") as f:
            return f.read()

    block = _message(proto(read("block_4M_t0.bin")), 2)
    h = decode_proto_header(_one(block, 1))
    check("mainnet header", (h["hash"].hex(), text_encode("blockId", h["id"]), len(h["content"]), len(h["endorsements"]), h["slot"], h["version"], h["announced"]),
          (MAINNET["header"], MAINNET["id"], 2682, 16, (4000000, 0), 1, None))
    check("mainnet content", blake3(h["content"]).hex(), MAINNET["contentHash"])
    check("mainnet list", list_hash([i.decode() for i in block.get(2, [])]), h["listHash"])
    signed = header_signed_hash(h["publicKey"], h["slot"], h["hash"])
    check("mainnet signed hash", signed.hex(), MAINNET["signedHash"])
    check("mainnet header signature", ed25519_verify(h["publicKey"][1:], signed, h["signature"][1:]))
    recording = Recording("all")
    recording._check_header_signatures(h)
    check("mainnet signatures", (recording.counts["signatures"], recording.counts["badEndorsementSignatures"]), (17, 0))
    first = h["endorsements"][0]
    check("mainnet endorsement 0", (first["index"], first["id"]), (0, MAINNET["endorsement"]))
    e = decode_proto_endorsement(read("endo_t0.bin"))
    content = endorsement_content(e["slot"], e["index"], e["endorsedBlock"])
    i = endorsement_id(e["publicKey"], content)
    check("mainnet endorsement record", (text_encode("endorsementId", b"\0" + i), len(content) + 98), (e["id"], e["size"]))
    check("mainnet endorsement record's signature",
          ed25519_verify(e["publicKey"][1:], endorsement_signed_hash(e["publicKey"], e["slot"], e["index"], i), e["signature"][1:]))
    op = decode_proto_operation(_one(proto(read("op_real.bin")), 3), 77658377)
    check("mainnet operation record", (text_encode("operationId", op["id"]), op["size"], op["kind"]), (MAINNET["operation"], 138, 1))
    check("mainnet operation signature", ed25519_verify(op["publicKey"][1:], op["id"][1:], op["signature"][1:]))


# -------------------------------------------------------------------------------------------------------- archive files

FILE_FORMAT = "massa-storage/archive/1"
FILE_MAGIC = b"massa-archive/1\n"
FILE_CODE = "CORE_ARCHIVE_FILE_INVALID"
IDENTITY, MANIFEST, CHUNK, SEALS_RECORD, RESULTS, ERA, INDEX, TRAILER = range(1, 9)
TRAILER_BYTES = 9 + 16 + 8 + 8 + 4 + 32


class FileRecords:
    """Records one behind the other: u8 type || u32 length || payload || u32 CRC-32."""

    def __init__(self, data, at=0, end=None):
        self.data, self.at, self.end = data, at, len(data) if end is None else end

    def take(self, kind, name):
        def fail(why):
            raise FormatError(FILE_CODE, f"{name} {why} (record at byte {self.at})")
        if self.at < 0 or self.end > len(self.data) or self.end - self.at < 9:
            fail("is cut off")
        if self.data[self.at] != kind:
            fail(f"is of type {self.data[self.at]}, not {kind}")
        length = int.from_bytes(self.data[self.at + 1:self.at + 5], "big")
        if length > self.end - self.at - 9:
            fail(f"says that it has {length} bytes")
        crc_at = self.at + 5 + length
        if zlib.crc32(self.data[self.at:crc_at]) != int.from_bytes(self.data[crc_at:crc_at + 4], "big"):
            fail("is not as it was written")
        payload = self.data[self.at + 5:crc_at]
        self.at = crc_at + 4
        return payload

    def done(self, name):
        if self.at != self.end:
            raise FormatError(FILE_CODE, f"{name} is followed by something else (at byte {self.at})")


def file_check(true, why):
    if not true:
        raise FormatError(FILE_CODE, why)


def file_root(period_roots):
    return sha256(b"\7" + tree_root([leaf_hash(r) for r in period_roots]))


def read_file_frame(data):
    """Identity, index, trailer: what a file says of itself; every byte of it has its place then."""
    trailer_at = len(data) - TRAILER_BYTES
    r = Reader(FileRecords(data, trailer_at).take(TRAILER, "trailer"), FILE_CODE)
    file_check(r.take(16) == FILE_MAGIC, "trailer is none")
    file_check(r.int(8) == len(data), "trailer is that of a file of another length")
    index_at, index_bytes, root = r.int(8), r.int(4), r.take(32)
    file_check(index_at + index_bytes == trailer_at, "trailer names no index right before it")
    records = FileRecords(data, index_at, trailer_at)
    r = Reader(records.take(INDEX, "index"), FILE_CODE)
    records.done("index")
    first, count, era_count = r.int(8), r.int(4), r.int(4)
    periods = [(first + i, r.int(8), r.int(4), r.take(32)) for i in range(count)]
    eras = [(r.int(8), r.int(8), r.int(4)) for _ in range(era_count)]
    r.end()
    file_check(count > 0 and file_root([p[3] for p in periods]) == root, "index has other periods than the root of the file")
    records = FileRecords(data)
    r = Reader(records.take(IDENTITY, "identity"), FILE_CODE)
    file_check(r.take(r.int(4)) == FILE_FORMAT.encode(), "identity is of another format")
    frame = {"chainId": r.int(8), "genesisMs": r.int(8), "chunkBytes": r.int(4), "periods": periods, "eras": eras, "root": root}
    file_check((r.int(8), r.int(8)) == (first, first + count - 1), "identity is of other periods than the index")
    r.end()
    at, due = records.at, list(eras)
    for i, (period, offset, length, _) in enumerate(periods):
        file_check(offset == at, f"index names another place of period {period}")
        at += length
        if i + 1 >= PERIODS_PER_ERA and (period + 1) % PERIODS_PER_ERA == 0:
            era = due.pop(0) if due else (None, 0, 0)
            file_check(era[:2] == (period // PERIODS_PER_ERA, at), f"index names another place of era {period // PERIODS_PER_ERA}")
            at += era[2]
    file_check(at == index_at and not due, "index does not name what stands in the file")
    return frame


def read_file_period(data, frame, place):
    """The records of one period, each as it was written; nothing of it is hashed yet."""
    period, offset, length, root = place
    records = FileRecords(data, offset, offset + length)
    try:
        m = decode_manifest(records.take(MANIFEST, f"manifest of period {period}"), frame["chunkBytes"])
    except FormatError as e:
        raise FormatError(FILE_CODE, str(e)) from None
    file_check((m["chainId"], m["genesisMs"], m["period"]) == (frame["chainId"], frame["genesisMs"], period),
               f"manifest of period {period} is of another period")
    file_check(period_root(m["chainId"], m["genesisMs"], period, m["bitmap"], [c for _, c in m["chunks"]]) == root,
               f"manifest of period {period} has another root than the index says")
    chunks = [records.take(CHUNK, f"chunk {i} of period {period}") for i in range(len(m["chunks"]))]
    seals = records.take(SEALS_RECORD, f"seals of period {period}")
    results = records.take(RESULTS, f"execution results of period {period}")
    records.done(f"period {period}")
    return m, chunks, seals, results


def check_attestation(m, data):
    """Whether signed execution results are what was signed; those that are not signed are."""
    r = Reader(data, FILE_CODE)
    file_check(r.byte() == 1, "execution results of another format")
    for _ in range(THREAD_COUNT):
        r.take(r.int(4))
    results, flag = data[:r.at], r.byte()
    if flag == 1:
        key, signature = r.versioned(32), r.versioned(64)
        digest = sha256(u64(m["chainId"]) + u64(m["genesisMs"]) + u64(m["period"]) + results)
        text = "massa-storage/execution/1:" + digest.hex()
        file_check(ed25519_verify(key[1:], blake3(text.encode()), signature[1:]), f"execution results of period {m['period']}")
    r.end()
    return flag in (0, 1)


def check_file_period(m, chunks, seals, results):
    """Ids of chunks, blocks and operations, every signature; returns the decoded BODY."""
    period = m["period"]
    for i, ((length, claimed), chunk) in enumerate(zip(m["chunks"], chunks)):
        file_check(len(chunk) == length and chunk_id(chunk) == claimed, f"chunk {i} of period {period} has another id")
    body = decode_body(b"".join(chunks))
    file_check((body["chainId"], body["genesisMs"], body["period"]) == (m["chainId"], m["genesisMs"], period)
               and bitmap_of(body["slots"]) == m["bitmap"], f"BODY of period {period} is not that of its manifest")
    file_check(check_seals(body, decode_seals(seals, body)), f"seals of period {period}: a signature does not verify")
    file_check(check_attestation(m, results), f"execution results of period {period}")
    return body


def check_links(periods):
    """Whether blocks are one chain. `periods`: ascending, one behind the other, (period, (id, parents) of each thread or None).

    A restart of the chain begins anew: its blocks follow from constants, and name none.
    """
    begins = [0] + [i for i, (period, slots) in enumerate(periods) if period > 0 and all(
        block and block[0] == b"\0" + blake3(b"".join(genesis_block(t, period))) for t, block in enumerate(slots))]
    for first, end in zip(begins, begins[1:] + [len(periods)]):
        part = periods[first:end]
        lowest = [next((slots[t] for _, slots in part if slots[t]), None) for t in range(THREAD_COUNT)]
        # Of each thread its blocks so far, behind the one that the lowest of them names.
        trails = [[b"" if not block else block[1][t] if block[1] else None] for t, block in enumerate(lowest)]
        for i, (period, slots) in enumerate(part):
            for thread, block in enumerate(slots if i else ()):
                if block:
                    check_parents((period, thread), block[1], part[i - 1][1], slots, trails)
            for trail, block in zip(trails, slots):
                if block:
                    trail.append(block[0])


def check_parents(slot, parents, before, beside, trails):
    """A block names in each thread the newest block before its period; or, of other threads than its own, one of its own period, or
    the next newest, where the newest is of the period before. Where a thread has no block at all each names the same."""
    period, own = slot
    file_check(parents or len(trails[own]) == 1, f"the block of thread {own} in period {period} names none")
    for thread, parent in enumerate(parents):
        trail = trails[thread]
        if trail == [b""]:
            trail[0] = parent
        allowed = trail[-1:]
        if thread != own:
            allowed = trail[-2 if before[thread] else -1:] + ([beside[thread][0]] if beside[thread] else [])
        file_check(parent in allowed, f"the block of thread {own} in period {period} does not name that of thread {thread} below it")


def check_file_eras(data, frame, manifests):
    first = frame["periods"][0][0]
    for era, offset, length in frame["eras"]:
        records = FileRecords(data, offset, offset + length)
        r = Reader(records.take(ERA, f"era {era}"), FILE_CODE)
        records.done(f"era {era}")
        own = manifests[era * PERIODS_PER_ERA - first:(era + 1) * PERIODS_PER_ERA - first]
        totals = sum(n for m in own for n, _ in m["chunks"]), sum(len(m["chunks"]) for m in own)
        roots = [p[3] for p in frame["periods"] if p[0] // PERIODS_PER_ERA == era]
        root = era_root(frame["chainId"], frame["genesisMs"], era, *totals, roots)
        file_check((r.int(8), r.take(32), (r.int(8), r.int(8))) == (era, root, totals), f"era {era} is not that of the periods")
        if r.byte() == 1:
            r.take(r.int(4))
            r.take(40)
        r.end()


def read_archive_file(data, deep=True):
    """Verifies an archive file, without `deep` its records alone; returns what it is. FormatError names what is wrong."""
    frame = read_file_frame(data)
    linked = []
    manifests, operations, blocks = [], 0, 0
    for place in frame["periods"]:
        parts = read_file_period(data, frame, place)
        manifests.append(parts[0])
        if not deep:
            continue
        slots = [block if isinstance(block, dict) else None for block in check_file_period(*parts)["slots"]]
        linked.append((place[0], [block and (block["id"], block["header"]["parents"]) for block in slots]))
        blocks += sum(block is not None for block in slots)
        operations += sum(len(block["operations"]) for block in slots if block)
    check_links(linked)
    check_file_eras(data, frame, manifests)
    return {"root": frame["root"].hex(), "first": frame["periods"][0][0], "last": frame["periods"][-1][0],
            "chainId": frame["chainId"], "genesisTimestampMs": frame["genesisMs"], "blocks": blocks, "operations": operations,
            "eras": len(frame["eras"]), "bytes": len(data)}


def file_command(args):
    with open(args.file, "rb") as f:
        data = f.read()
    print(json.dumps(read_archive_file(data)))
    missed = 0
    for i in range(args.flips):
        at = (i * 7919 * 613 + i) % len(data)
        try:
            read_archive_file(data[:at] + bytes([data[at] ^ 1 << i % 8]) + data[at + 1:], deep=False)
            missed += 1
            print(f"flipped bit {i % 8} of byte {at} was not found")
        except FormatError:
            pass
    if args.flips:
        print(f"{args.flips} flipped bits, {missed} not found")
    return 1 if missed else 0


# ------------------------------------------------------------------------------------------- answers of the HTTP endpoints

OUTCOMES = ("unknown", "success", "failed")
BODY_KINDS = {"transaction": "transaction", "rollBuy": "roll-buy", "rollSell": "roll-sell", "executeSC": "execute-sc", "callSC": "call-sc"}
UNBOUND_FIELDS = ["creator", "publicKey", "signature", "feeNanoMas", "expirePeriod", "body"]


def slot_object(slot):
    return {"period": slot[0], "thread": slot[1]}


def describe_block(block, seal):
    h = block["header"]
    out = {"blockId": text_encode("blockId", block["id"]), "slot": slot_object(h["slot"]),
           "creator": text_encode("address", user_address(block["publicKey"])), "publicKey": text_encode("publicKey", block["publicKey"]),
           "signature": seal and text_encode("signature", b"\0" + seal), "currentVersion": h["version"], "announcedVersion": h["announced"],
           "parents": [text_encode("blockId", p) for p in h["parents"]], "operationsHash": text_encode("hash", h["listHash"]),
           "endorsements": len(h["endorsements"]), "denunciations": len(h["denunciations"]),
           "operations": [text_encode("operationId", i) for i in block["operationIds"]]}
    return {k: v for k, v in out.items() if v is not None}


def describe_operation(i, entry, seal):
    kind, raw = entry
    op = read_operation(Reader(raw[33:], BYTES))
    body = {"kind": BODY_KINDS[op["type"]]}
    for ours, theirs in (("maxGas", "maxGas"), ("maxCoins", "maxCoinsNanoMas"), ("coins", "coinsNanoMas"), ("amount", "amountNanoMas"), ("rollCount", "rollCount")):
        if ours in op:
            body[theirs] = str(op[ours])
    for name in ("recipient", "target"):
        if name in op:
            body[name] = text_encode("address", op[name])
    for name in ("bytecode", "parameter"):
        if name in op:
            body[name] = op[name].hex()
    if "function" in op:
        body["functionName"] = op["function"]
    if "datastore" in op:
        body["datastore"] = [{"key": k.hex(), "value": v.hex()} for k, v in op["datastore"]]
    out = {"operationId": text_encode("operationId", i), "creator": text_encode("address", user_address(raw[:33])),
           "publicKey": text_encode("publicKey", raw[:33]), "signature": seal and text_encode("signature", b"\0" + seal),
           "reproducible": kind == 1, "unproven": None if kind == 1 else UNBOUND_FIELDS,
           "feeNanoMas": str(op["fee"]), "expirePeriod": str(op["expirePeriod"]), "body": body}
    return {k: v for k, v in out.items() if v is not None}


def describe_endorsement(e, slot, endorsed, wanted):
    return {"endorsementId": text_encode("endorsementId", wanted), "slot": slot_object(slot), "index": e["index"],
            "endorser": text_encode("address", user_address(e["publicKey"])), "publicKey": text_encode("publicKey", e["publicKey"]),
            "signature": text_encode("signature", e["signature"]), "endorsedBlock": text_encode("blockId", endorsed)}


def demand_same(said, proven, name):
    """What is said beside a proof has to be what the proof shows, of the same types and with nothing more."""
    if type(said) is not type(proven):
        refuse("ANSWER_OTHER", f"{name} is not what is proven")
    if isinstance(said, dict):
        for key in sorted(set(said) ^ set(proven)):
            refuse("ANSWER_OTHER", f"{name}.{key} is {'not proven' if key in said else 'left out'}")
        for key in said:
            demand_same(said[key], proven[key], f"{name}.{key}")
    elif isinstance(said, list):
        if len(said) != len(proven):
            refuse("ANSWER_OTHER", f"{name} has {len(said)} entries, proven are {len(proven)}")
        for at, (one, other) in enumerate(zip(said, proven)):
            demand_same(one, other, f"{name}[{at}]")
    elif said != proven:
        refuse("ANSWER_OTHER", f"{name} is not what is proven")


class Answers:
    """Verifies answers of the HTTP endpoints (docs/API.md), each in whole: what is beside a proof has to follow from it.

    `others`: path -> bytes of further answers that one is verified by; they are verified, too.
    """

    def __init__(self, others, trusted):
        self.others, self.trusted = others, trusted
        # Whether some proof leads to the root of an era that was compared with nothing.
        self.leads_on = False

    def verify(self, path, data):
        """What the answer was verified to be; raises FormatError otherwise."""
        what = self.verify_part(path, data)
        return f"{what}; era not compared" if self.leads_on else what

    def verify_part(self, path, data):
        route, _, query = path.partition("?")
        query = dict(pair.split("=") for pair in query.split("&") if pair)
        parts = route.strip("/").split("/")
        if parts[0] == "chunk":
            return self.chunk(parts[1], data)
        if parts[0] == "period":
            return self.file(int(parts[1]), int(parts[1]), data)
        if parts[1:2] == ["stream"]:
            return self.stream(int(query["from"]), data)
        if parts[1:2] == ["export"]:
            return self.export(query, data)
        answer = self.parse(data)
        if not isinstance(answer, dict):
            refuse("MALFORMED", "no object")
        if parts[0] == "era":
            return self.era(int(parts[1]), answer)
        if parts[1] == "search":
            return self.search(query["q"], answer)
        if parts[1] == "addresses":
            return self.address(*parts[2:], query, answer)
        if parts[1] == "archive":
            return self.archive(answer)
        kinds = {"blocks": self.block, "operations": self.operation, "endorsements": self.endorsement, "slots": self.slot,
                 "periods": self.period, "completeness": self.completeness}
        return kinds[parts[1]](*parts[2:], **({"query": query} if parts[1] == "completeness" else {}), answer=answer)

    @staticmethod
    def parse(data):
        def unique(pairs):
            out = dict(pairs)
            if len(out) != len(pairs):
                raise ValueError("a field twice")
            return out

        def constant(name):
            raise ValueError(name)

        try:
            return json.loads(data.decode("utf-8"), object_pairs_hook=unique, parse_constant=constant)
        except ValueError as e:
            refuse("MALFORMED", f"no JSON: {e}")

    def other(self, path):
        if path not in self.others:
            refuse("NOT_HELD", f"{path} is needed")
        return self.others[path]

    def prove(self, answer, question):
        if "proof" not in answer:
            refuse("MALFORMED", "no proof")
        result, shown = verify_record(answer["proof"], question, self.trusted)
        self.leads_on |= "trusted-era-root" in result["gaps"]
        return shown

    def certificate(self, value, question):
        eras = verify_completeness(value, question, self.trusted)["eras"]
        self.leads_on |= not all(is_trusted for _, is_trusted in eras.values())

    def chunk(self, name, data):
        if not data or chunk_id(data).hex() != name:
            refuse("CHUNK_INVALID", "chunk id")
        return "chunk"

    def file(self, first, last, data):
        """An archive file of these periods."""
        places = read_file_frame(data)["periods"]
        if [place[0] for place in places] != list(range(first, last + 1)):
            refuse("SLOT_OTHER", "a file of other periods")
        read_archive_file(data)
        for period, _, _, root in places:
            trust_of(self.trusted, period, root, None)
        return "file"

    def export(self, query, data):
        first, last, form = int(query["from"]), int(query["to"]), query.get("format", "mhs")
        if form == "mhs":
            return self.file(first, last, data)
        rows = [[ROW_HEAD]] if form == "csv" else []
        for body in self.bodies(first, last):
            rows += export_rows(body, query.get("address"), form)
        said = data.decode("utf-8", "replace").split("\r\n" if form == "csv" else "\n")
        for at, (one, known) in enumerate(itertools.zip_longest(said, rows + [[""]], fillvalue=())):
            if one not in known:
                refuse("ANSWER_OTHER", f"line {at + 1} is not what BODY says")
        return f"export, {form}"

    def bodies(self, first, last):
        """Of all periods that have a block, by as many answers as it takes."""
        found = []
        while first <= last:
            path = f"/v1/completeness?from={first}&to={last}&bodies=true"
            data = self.other(path)
            self.verify_part(path, data)
            page = self.parse(data)
            found += verify_range(page["proof"], {"from": first, "to": page["to"]}, self.certificate)
            first = page["to"] + 1
        return found

    def era(self, number, answer):
        said = ProofForm.object(answer, ("era", "chainId", "genesisTimestampMs", "root", "totalBytes", "totalChunks", "firstPeriod", "periodRoots"))
        chain_id, genesis_ms, total_bytes, total_chunks = (ProofForm.decimal(said[i]) for i in (1, 2, 4, 5))
        roots = ProofForm.hashes(said[7], PERIODS_PER_ERA)
        if len(roots) != PERIODS_PER_ERA:
            refuse("PERIODS_MISSING", f"{len(roots)} roots")
        root = era_root(chain_id, genesis_ms, number, total_bytes, total_chunks, roots)
        demand_same([said[0], said[3], said[6]], [number, root.hex(), number * PERIODS_PER_ERA], "era, root, firstPeriod")
        trust = [trust_of(self.trusted, number * PERIODS_PER_ERA + i, one, root) for i, one in enumerate(roots)]
        self.leads_on |= "era-root" not in trust
        return "era"

    def search(self, text, answer):
        """What a text names, and where: by the answer of the route that shows it."""
        kinds = {"B": ("block", "blocks"), "O": ("operation", "operations"), "E": ("endorsement", "endorsements")}
        hit = {"kind": "address", "path": f"/v1/addresses/{text}/operations", "period": None, "thread": None}
        if text[0] in kinds:
            kind, route = kinds[text[0]]
            shown = self.proven(f"/v1/{route}/{text}")[kind]
            hit = {"kind": kind, "path": f"/v1/{route}/{text}", **(shown["slot"] if kind == "block" else shown["inclusions"][0]["slot"])}
        elif len(text) == 64:
            self.chunk(text, self.other(f"/chunk/{text}"))
            hit |= {"kind": "chunk", "path": f"/chunk/{text}"}
        elif "." in text:
            period, thread = map(int, text.split("."))
            self.proven(f"/v1/slots/{period}/{thread}")
            hit = {"kind": "slot", "path": f"/v1/slots/{period}/{thread}", **slot_object((period, thread))}
        elif text.isdigit():
            self.prove(self.parse(self.other(f"/v1/periods/{text}?proof=true")), {"kind": "period", "period": int(text)})
            hit |= {"kind": "period", "path": f"/v1/periods/{text}", "period": int(text)}
        else:
            # Whatever it did: which list is not empty no body of one period says.
            hit["path"] = next((path for path in (f"/v1/addresses/{text}/{kind}" for kind in LISTS) if path == answer.get("path")), hit["path"])
        demand_same(answer, hit, "answer")
        return "search"

    def proven(self, path):
        data = self.other(path + "?proof=true")
        self.verify_part(path + "?proof=true", data)
        return self.parse(data)

    def stream(self, period, data):
        """The events of one period, each as its BODY says."""
        bodies = self.bodies(period, period)
        slots = bodies[0]["slots"] if bodies else [None] * THREAD_COUNT
        events = ["retry: 2000"]
        for thread, block in enumerate(slots):
            known = isinstance(block, dict)
            event = {"slot": slot_object((period, thread)), "kind": "block" if known else "void" if block == VOID else "miss",
                     "blockId": text_encode("blockId", block["id"]) if known else None, "operations": len(block["operations"]) if known else 0}
            events.append(f"id: {period}.{thread}\ndata: {json.dumps(event, separators=(',', ':'))}")
        said = data.decode("utf-8", "replace").split("\n\n")
        for at, (one, other) in enumerate(itertools.zip_longest(said, events + [""])):
            if one != other:
                refuse("ANSWER_OTHER", f"event {at} is not what BODY says")
        return "stream"

    def block(self, name, answer):
        shown = self.prove(answer, {"kind": "block", "id": name})
        demand_same(answer, {"block": describe_block(shown["block"], shown["seal"]), "proof": answer["proof"]}, "answer")
        return "block"

    def operation(self, name, answer):
        shown = self.prove(answer, {"kind": "operation", "id": name})
        (wanted, entry), = shown["operations"].items()
        place = {"slot": slot_object(shown["slot"]), "blockId": text_encode("blockId", shown["block"]["id"])}
        proven = describe_operation(wanted, entry, shown["operationSeals"] and shown["operationSeals"][0])
        self.listed(answer.get("operation"), proven, place, "operation")
        demand_same(sorted(answer), ["attestations", "operation", "proof"], "answer")
        proof = parse_proof(answer["proof"])
        # Under no root: of who signed it, that he did.
        for outcome, _, _ in verify_outcomes(answer["attestations"], proof["chainId"], proof["genesisMs"], wanted):
            demand_same(answer["operation"]["execution"]["outcome"], outcome, "operation.execution.outcome")
        return "operation, attested" if answer["attestations"] else "operation"

    @staticmethod
    def listed(said, proven, place, name):
        """An operation with where it is included and what became of it. That is under no root: only its form is known."""
        if not isinstance(said, dict):
            refuse("MALFORMED", name)
        execution = said.get("execution")
        if not isinstance(execution, dict) or set(execution) != {"outcome", "isProven"} or execution["outcome"] not in OUTCOMES or execution["isProven"] is not False:
            refuse("MALFORMED", f"{name}.execution")
        demand_same(said, {**proven, "inclusions": [place], "execution": execution}, name)

    def endorsement(self, name, answer):
        shown = self.prove(answer, {"kind": "endorsement", "id": name})
        proven = self.carried(shown["slot"], shown["endorsement"], shown["block"])
        demand_same(answer, {"endorsement": proven, "proof": answer["proof"]}, "answer")
        return "endorsement"

    def slot(self, period, thread, answer):
        slot = slot_object((int(period), int(thread)))
        kind = answer.get("kind")
        if kind == "block":
            shown = self.prove(answer, {"kind": "block-at", "slot": slot})
            proven = {"slot": slot, "kind": kind, "block": describe_block(shown["block"], shown["seal"]), "proof": answer["proof"]}
        else:
            # Which of the two it is stands in BODY; of either the bitmap has no block.
            if kind not in ("miss", "void"):
                refuse("MALFORMED", "kind")
            self.prove(answer, {"kind": "slot-empty", "slot": slot})
            proven = {"slot": slot, "kind": kind, "proof": answer["proof"]}
        demand_same(answer, proven, "answer")
        return f"slot, {kind}"

    def period(self, name, answer):
        shown = self.prove(answer, {"kind": "period", "period": int(name)})["proof"]
        chunks = [self.other(f"/chunk/{i.hex()}") for i in shown["chunkIds"]]
        for i, data in zip(shown["chunkIds"], chunks):
            self.chunk(i.hex(), data)
        blocks = [b for b in decode_once(b"".join(chunks))["slots"] if isinstance(b, dict)]
        root = period_root(shown["chainId"], shown["genesisMs"], shown["period"], shown["bitmap"], shown["chunkIds"])
        proven = {"period": int(name), "root": root.hex(), "bitmap": shown["bitmap"], "blocks": len(blocks),
                  "operations": sum(len(b["operations"]) for b in blocks),
                  "chunks": [{"chunkId": i.hex(), "bytes": len(data)} for i, data in zip(shown["chunkIds"], chunks)]}
        demand_same(answer, {"period": proven, "proof": answer["proof"]}, "answer")
        return "period"

    def archive(self, answer):
        """What an archive says that it has: both its ends, and its latest periods, by the answers that show these."""
        *network, first, last, latest = ProofForm.object(answer, ("chainId", "genesisTimestampMs", "first", "last", "latest"))
        self.proven(f"/v1/periods/{ProofForm.integer(first, SAFE_INTEGER)}")
        periods = [ProofForm.integer(one.get("period") if isinstance(one, dict) else None, SAFE_INTEGER) for one in ProofForm.array(latest, 100)]
        if periods[:1] != [last] or periods != sorted(set(periods), reverse=True):
            refuse("ANSWER_OTHER", "latest are not the last periods, the newest first")
        for at, (one, period) in enumerate(zip(latest, periods)):
            shown = self.proven(f"/v1/periods/{period}")
            demand_same(network, [shown["proof"][name] for name in ("chainId", "genesisTimestampMs")], "network")
            known = {name: shown["period"][name] for name in ("period", "root", "blocks", "operations")}
            demand_same(one, {**known, "bytes": sum(chunk["bytes"] for chunk in shown["period"]["chunks"])}, f"latest[{at}]")
        return "archive"

    def completeness(self, answer, query):
        """Certificate of a range, with the decoded bodies where they were asked for."""
        said = ProofForm.object(answer, ("from", "to", "next", "proof"))
        first, last = (ProofForm.integer(v, SAFE_INTEGER) for v in said[:2])
        asked = int(query["to"])
        if first != int(query["from"]) or last > asked:
            refuse("SLOT_OTHER", "range")
        demand_same(said[2], None if last == asked else last + 1, "next")
        question = {"from": first, "to": last}
        if query.get("bodies") == "true":
            verify_range(said[3], question, self.certificate)
            return "completeness with bodies"
        self.certificate(said[3], question)
        return "completeness"

    def address(self, name, kind, query, answer):
        """A page of a list: exactly what all bodies, or the results of executing, show of its range, newest first."""
        text_decode("address", name)
        ranged = int(query["from"]), int(query["to"])
        attested = kind == "events" and query.get("proof") == "true"
        said = ProofForm.object(answer, ("address", kind, "cursor") + (("attestations",) if attested else ()))
        entries = ProofForm.array(said[1], 100)
        results = self.results(*ranged) if kind == "events" else None
        found = scan_events(results, name) if kind == "events" else SCANS[kind](self.bodies(*ranged), name)
        if "role" in query:
            found = [one for one in found if query["role"] in one[-1]]
        found.reverse()
        if "cursor" in query:
            before = tuple(int(n) for n in query["cursor"].split("-"))
            found = [one for one in found if one[0] < before]
        limit = int(query.get("limit", 25))
        if kind == "events" and said[2] is not None and entries:
            # Long ones fill a page before there are so many.
            limit = min(limit, len(entries))
        shown, rest = found[:limit], found[limit:]
        demand_same(said[0], name, "address")
        demand_same(said[2], "-".join(map(str, shown[-1][0])) if rest else None, "cursor")
        if len(entries) != len(shown):
            refuse("LIST_OTHER", f"{len(entries)} {kind}, there are {len(shown)}")
        for at, (one, (place, *known)) in enumerate(zip(entries, shown)):
            if kind == "operations":
                self.listed_operation(one, place, known, [query["role"]] if "role" in query else known[-1], f"operations[{at}]")
            elif kind == "blocks":
                block, = known
                seal = self.own_seal(one, block["publicKey"], header_signed_hash(block["publicKey"], place[:2], block["id"][1:]), f"blocks[{at}]")
                demand_same(one, describe_block(block, seal), f"blocks[{at}]")
            elif kind == "endorsements":
                demand_same(one, self.carried(place[:2], *known), f"endorsements[{at}]")
            else:
                demand_same(one, known[0], f"events[{at}]")
        if attested:
            periods = dict.fromkeys(place[0] for place, _ in shown)
            demand_same(said[3], [results[n][1] for n in periods if results[n][1]], "attestations")
        return f"address, {kind}" + (", attested" if attested and said[3] else "")

    def listed_operation(self, one, place, known, roles, name):
        block_id, i, entry, _ = known
        seal = self.own_seal(one, entry[1][:33], i[1:], name)
        where = {"slot": slot_object(place[:2]), "blockId": text_encode("blockId", block_id)}
        self.listed(one, {**describe_operation(i, entry, seal), "roles": roles}, where, name)

    @staticmethod
    def carried(slot, e, block):
        """An endorsement with the block that carries it."""
        endorsed = block["header"]["parents"][slot[1]]
        i = b"\0" + endorsement_id(e["publicKey"], endorsement_content(slot, e["index"], endorsed))
        place = {"slot": slot_object(slot), "blockId": text_encode("blockId", block["id"])}
        return {**describe_endorsement(e, slot, endorsed, i), "inclusions": [place]}

    @staticmethod
    def own_seal(said, public_key, digest, name):
        """The signature of an entry of a list, None where it has none: no body has it, it proves itself."""
        if not isinstance(said, dict) or "signature" not in said:
            return None
        seal = text_decode("signature", ProofForm.text(said["signature"]))[1:]
        if not massa_signature(public_key, digest, seal):
            refuse("SIGNATURE_INVALID", f"{name}.signature")
        return seal

    def results(self, first, last):
        """{period: (bytes of the execution results, their attestation as answers carry it or None)}, from the files of periods."""
        found = {}
        for period in range(first, last + 1):
            data = self.other(f"/period/{period}")
            frame = read_file_frame(data)
            if [place[0] for place in frame["periods"]] != [period]:
                refuse("SLOT_OTHER", "a file of other periods")
            place, = frame["periods"]
            trust_of(self.trusted, period, place[3], None)
            manifest, _, _, signed = read_file_period(data, frame, place)
            check_attestation(manifest, signed)
            found[period] = split_results(period, signed)
        return found


def split_results(period, signed):
    r = Reader(signed, FILE_CODE)
    r.byte()
    for _ in range(THREAD_COUNT):
        r.take(r.int(4))
    results = signed[:r.at]
    if r.byte() != 1 or len(results) > MAX_ATTESTED_BYTES:
        return results, None
    key, signature = r.versioned(32), r.versioned(64)
    return results, {"period": period, "results": base64.b64encode(results).decode(), "publicKey": text_encode("publicKey", key),
                     "signature": text_encode("signature", signature)}


def scan_blocks(bodies, name):
    """((period, thread, 0), block) of each block that an address produced, oldest first."""
    wanted = text_decode("address", name)
    return [((body["period"], thread, 0), block) for body in bodies for thread, block in enumerate(body["slots"])
            if isinstance(block, dict) and user_address(block["publicKey"]) == wanted]


def scan_endorsements(bodies, name):
    """((period, thread, index), endorsement, block) of each endorsement that an address signed, oldest first."""
    wanted, found = text_decode("address", name), []
    for body in bodies:
        for thread, block in enumerate(body["slots"]):
            for e in block["header"]["endorsements"] if isinstance(block, dict) else ():
                if user_address(e["publicKey"]) == wanted:
                    found.append(((body["period"], thread, e["index"]), e, block))
    return sorted(found, key=lambda one: one[0])


def scan_events(results, name):
    """((period, thread, position), what is said of it) of each event in whose call stack an address is, oldest first."""
    found = []
    for period, (data, _) in results.items():
        r = Reader(data, FILE_CODE)
        file_check(r.byte() == 1, "execution results of another format")
        for thread in range(THREAD_COUNT):
            for position, event in enumerate(read_events(r.take(r.int(4)))):
                if name in event["callStack"]:
                    found.append(((period, thread, position), {"slot": slot_object((period, thread)), **event}))
    return found


def read_events(data):
    """Of the execution results of a slot."""
    if not data:
        return []
    r = Reader(data, FILE_CODE)
    file_check(r.byte() == 1, "execution results of another format")
    r.take(2)
    r.take(r.int(4))
    for _ in range(r.int(4)):
        r.take(34)
    events = []
    for _ in range(r.int(4)):
        index, failed, operation = r.int(4), r.byte() == 1, r.take(r.int(4)).decode()
        stack = [r.take(r.int(4)).decode() for _ in range(r.int(4))]
        events.append({"indexInSlot": index, "callStack": stack, "operationId": operation or None, "failed": failed, "data": r.take(r.int(4)).hex()})
    r.end()
    return events


RANGE_FORMAT = "massa-storage/range/1"


def verify_range(value, question, verify_certificate):
    """Decoded BODY of each period of a range that has a block, bound by a certificate of completeness."""
    name, completeness, bodies = ProofForm.object(value, ("format", "completeness", "bodies"))
    if name != RANGE_FORMAT:
        refuse("MALFORMED", "format")
    verify_certificate(completeness, question)
    c = parse_completeness(completeness)
    full = [(c["from"] + i, *one) for i, one in enumerate(c["periods"]) if one[0]]
    if len(ProofForm.array(bodies, MAX_CERTIFICATE_PERIODS)) != len(full):
        refuse("PERIODS_MISSING", "number of bodies")
    return [_range_body(c, one, body) for one, body in zip(full, bodies)]


def _range_body(c, certified, body):
    period, bitmap, count, tree = certified
    chunks = [ProofForm.base64(chunk, CHUNK_BYTES) for chunk in ProofForm.array(body, MAX_PERIOD_CHUNKS)]
    if len(chunks) != count or tree_root([leaf_hash(chunk_id(chunk)) for chunk in chunks]) != tree:
        refuse("CHUNK_INVALID", f"chunks of period {period}")
    try:
        decoded = decode_once(b"".join(chunks))
    except FormatError as e:
        refuse("BODY_INVALID", str(e))
    if (decoded["chainId"], decoded["genesisMs"], decoded["period"]) != (c["chainId"], c["genesisMs"], period) or bitmap_of(decoded["slots"]) != bitmap:
        refuse("BODY_INVALID", f"BODY is not of period {period}")
    return decoded


# Many lists are of the same periods.
decode_once = functools.lru_cache(maxsize=256)(decode_body)


def scan_bodies(bodies, name):
    """((period, thread, position), block id, operation id, (kind, bytes), roles) of each operation of an address, oldest first."""
    wanted, found = text_decode("address", name), []
    for body in bodies:
        for thread, block in enumerate(body["slots"]):
            if not isinstance(block, dict):
                continue
            for position, (i, entry) in enumerate(block["operations"].items()):
                op = read_operation(Reader(entry[1][33:], BYTES))
                own = ["creator"] if user_address(entry[1][:33]) == wanted else []
                if wanted in (op.get("recipient"), op.get("target")):
                    own.append("target")
                if own:
                    found.append(((body["period"], thread, position), block["id"], i, entry, own))
    return found


LISTS = ("operations", "blocks", "endorsements", "events")
SCANS = {"operations": scan_bodies, "blocks": scan_blocks, "endorsements": scan_endorsements}

ROW_HEAD = "period,thread,block,operation,type,creator,target,amount_nano_mas,rolls,fee_nano_mas,outcome,bound"


def export_rows(body, name, form):
    """The texts that each row of an export may have: what became of an operation no body says."""
    wanted, rows = name and text_decode("address", name), []
    for thread, block in enumerate(body["slots"]):
        for i, (kind, raw) in (block["operations"].items() if isinstance(block, dict) else ()):
            op = read_operation(Reader(raw[33:], BYTES))
            creator, target = user_address(raw[:33]), op.get("recipient", op.get("target"))
            if wanted and wanted not in (creator, target):
                continue
            amount = op.get("amount", op.get("coins"))
            row = {"period": body["period"], "thread": thread, "block": text_encode("blockId", block["id"]), "operation": text_encode("operationId", i),
                   "type": BODY_KINDS[op["type"]], "creator": text_encode("address", creator), "target": target and text_encode("address", target),
                   "amountNanoMas": None if amount is None else str(amount), "rolls": str(op["rollCount"]) if "rollCount" in op else None,
                   "feeNanoMas": str(op["fee"]), "outcome": None, "isBound": kind == 1}
            rows.append([_export_row({**row, "outcome": outcome}, form) for outcome in OUTCOMES])
    return rows


def _export_row(row, form):
    if form == "ndjson":
        return json.dumps(row, separators=(",", ":"))
    return ",".join("" if v is None else "yes" if v is True else "no" if v is False else str(v) for v in row.values())


def answers_command(args):
    """A line of JSON for each line {request, answer, others, trusted} of the file: what was verified, or what is wrong.

    `answer` and the values of `others` are the bytes of answers in base64; `others` may be the number of an earlier line that has them.
    """
    refused, seen = 0, []
    with open(args.file, encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            others = case.get("others", {})
            if isinstance(others, int):
                others = seen[others]
            else:
                others = {path: base64.b64decode(data) for path, data in others.items()}
            seen.append(others)
            try:
                what = Answers(others, case.get("trusted", {})).verify(case["request"], base64.b64decode(case["answer"]))
                print(json.dumps({"verified": what}))
            except FormatError as e:
                refused += 1
                print(json.dumps({"refused": e.code, "why": str(e)}))
    return 1 if refused else 0


# --------------------------------------------------------------------------------------------------------- command line

def main(argv=None):
    parser = argparse.ArgumentParser(prog="massa_archive.py", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    roots = commands.add_parser("roots", help="roots of every wholly decided period of recordings of one chain")
    roots.add_argument("recording", nargs="+", help="NDJSON, plain or gzip")
    roots.add_argument("--signatures", choices=("all", "sample", "none"), default="none", help="which signatures to check (sample: one block or operation in 32)")
    roots.add_argument("--json", action="store_true")
    roots.set_defaults(run=roots_command)
    selftest = commands.add_parser("selftest", help="golden values, RFC 8032 and BLAKE3 vectors")
    selftest.add_argument("--fixtures", help="folder of the mainnet records")
    selftest.set_defaults(run=selftest_command)
    archive = commands.add_parser("file", help="verify an archive file (.mhs)")
    archive.add_argument("file")
    archive.add_argument("--flips", type=int, default=0, help="also flip so many bits, one at a time: each has to be found")
    archive.set_defaults(run=file_command)
    vectors = commands.add_parser("vectors", help="write the shared test vectors, or compare them")
    vectors.add_argument("outdir")
    vectors.add_argument("--check", action="store_true")
    vectors.set_defaults(run=vectors_command)
    proofs = commands.add_parser("proofs", help="verify proofs of answers: lines of {proof, question, trusted}")
    proofs.add_argument("file")
    proofs.set_defaults(run=proofs_command)
    answers = commands.add_parser("answers", help="verify answers of the HTTP endpoints: lines of {request, answer, others, trusted}")
    answers.add_argument("file")
    answers.set_defaults(run=answers_command)
    args = parser.parse_args(argv)
    try:
        return args.run(args)
    except (NotMassa, FormatError) as e:
        print(f"massa_archive: {e}", file=sys.stderr)
        return 1
    except OSError as e:
        print(f"massa_archive: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
