#!/usr/bin/env python3
"""A second implementation of massa-storage's formats, to check the first one against.

It shares no code with the TypeScript: it was written from docs/FORMAT.md and from the description of Massa's own
formats alone, in one file, with nothing but Python's standard library. Where the two disagree, one of them is wrong.

    massa_archive.py roots RECORDING... [--signatures all|sample|none] [--json]
    massa_archive.py selftest [--fixtures DIR]
    massa_archive.py vectors OUTDIR [--check]

Exit status: 0 done, 1 something did not verify or differs, 2 bad arguments or unreadable input.
"""
import argparse
import base64
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


def blake3(data):
    """BLAKE3-256, the H of Massa's own formats."""
    data = bytes(data)
    cv, block, _, length, flags = _subtree(data, 0, len(data), 0)
    return struct.pack("<8I", *_compress(*cv, block, 0, length, flags | ROOT))


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


def genesis_block(thread):
    """pub33 and content of the genesis block of one thread, from constants."""
    public_key = text_decode("publicKey", "P12rNx7iyMpAbWx2VzGNZSE5wGDrHWUiwFVAnAuGrrKpMnfrQrH6")
    return public_key, b"\0\x30\0" + bytes([thread]) + b"\0" + EMPTY_LIST_HASH + b"\0\0"


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
        block = Reader(r.vbytes(), r.code)
        public_key, start = block.versioned(32), block.at
        header = read_header(block)
        content = block.data[start:block.at]
        ids = [block.versioned(32) for _ in range(block.vi(MAX_OPERATIONS_PER_BLOCK))]
        block.end()
        if header["slot"] != (body["period"], thread):
            r.fail("header of another slot")
        if list_hash(ids) != header["listHash"]:
            r.fail("operation list does not match the header")
        distinct, operations, seen = list(dict.fromkeys(ids)), {}, r.vi(MAX_OPERATIONS_PER_BLOCK)
        if seen != len(distinct):
            r.fail("distinct operation count")
        for expected in distinct:
            kind = r.byte()
            if kind not in (1, 2):
                r.fail("operation kind")
            raw = r.vbytes()
            _check_body_operation(raw, kind, expected, body["chainId"], r)
            operations[expected] = kind, raw
        body["slots"].append({"publicKey": public_key, "content": content, "header": header, "operationIds": ids,
                              "operations": operations, "id": b"\0" + blake3(public_key + content)})
    r.end()
    return body


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


def verify_proof(chunk, seed, samples, data):
    r = Reader(data, "CORE_PROOF_INVALID")
    byte_length, root = r.int(4), r.take(32)
    if not 1 <= byte_length <= MAX_SAMPLE_CHUNK_BYTES:
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


# ------------------------------------------------------------------------------------ recordings of a node, to periods

FINAL_OUTPUT = 2
FINAL_STATUS = 2


def recording_lines(path):
    """JSON lines of a recording; one that was cut off (a killed recorder) ends where it was cut."""
    with open(path, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    stream = gzip.open(path, "rb") if packed else open(path, "rb")
    with stream:
        try:
            for line in stream:
                yield json.loads(line)
        except (EOFError, zlib.error, json.JSONDecodeError) as e:
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
        self._pending = []

    def add(self, path):
        chain = genesis = None
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
                    self._pending.append((line["rpc"], data))
            elif "msg" in line:
                self._pending.append((line["stream"], base64.b64decode(line["msg"])))
        if chain is None:
            raise NotMassa(f"{path}: no GetStatus answer, so its network is not known")
        for name, data in self._pending:
            self._message(name, data)
        self._pending = []

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
            held = self.headers.get(block_id)
            slots.append({"publicKey": public_key, "content": content, "operationIds": [], "operations": {},
                          "signatures": {}, "signature": held and held["signature"]})
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
