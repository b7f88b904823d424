#!/usr/bin/env python3
"""Messages of docs/PROTOCOL.md, written from that page alone: makes and checks the vectors of test/vectors/protocol.

    python3 test/reference/protocol_messages.py test/vectors/protocol [--check]

Standard library, and the hashes and signatures of massa_archive.py beside it. Every vector is decoded here before it is
written: `want` is what this decoder reads, `wantErr` the code with which it refuses.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from massa_archive import ed25519_public_key, ed25519_sign, blake3, sha256, path_length, vi  # noqa: E402

INVALID, VERSION = "PROTOCOL_MESSAGE_INVALID", "PROTOCOL_VERSION_UNKNOWN"
MIB, SAFE, SLOTS = 1048576, 2**53 - 1, 16384
STATUS = ["ok", "notHeld", "busy", "refused"]
SECRET = sha256(b"massa-storage test key")
NETWORK = {"chainId": "77", "genesisTimestampMs": "1795246964000"}


class Refused(Exception):
    def __init__(self, code=INVALID):
        self.code = code


def need(condition):
    if not condition:
        raise Refused()


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def raw(self, n):
        need(self.at + n <= len(self.data))
        self.at += n
        return self.data[self.at - n:self.at]

    def u(self, size):
        return int.from_bytes(self.raw(size), "big")

    def sized(self, most):
        value, shift = 0, 0
        while True:
            byte = self.u(1)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(not (byte == 0 and shift))
                break
            shift += 7
            need(shift < 70)
        need(value <= most)
        return self.raw(value)


def be(number, size):
    return int(number).to_bytes(size, "big")


def h(text):
    return sha256(text.encode())


# ---------------------------------------------------------------------------------------------------- pieces of messages

def read_network(r):
    return {"chainId": str(r.u(8)), "genesisTimestampMs": str(r.u(8))}


def read_period(r):
    period = r.u(8)
    need(period <= SAFE)
    return period


def read_signature(r):
    key, signature = r.raw(33), r.raw(65)
    need(key[0] == 0 and signature[0] == 0)
    return {"publicKey": key.hex(), "signature": signature.hex()}


def read_status(r):
    number = r.u(1)
    need(number < 4)
    return STATUS[number]


def read_id(r):
    value = r.raw(33)
    need(value[0] == 0)
    return value.hex()


def read_challenge_id(r):
    raw = r.sized(64)
    need(raw and all(c in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-" for c in raw))
    return raw.decode()


def signature(text):
    public = b"\0" + ed25519_public_key(SECRET)
    return public + b"\0" + ed25519_sign(SECRET, blake3(text.encode()))


# ------------------------------------------------------------------------------------------- readers, one for each message

def capabilities(r):
    m = {"network": read_network(r)}
    peer = r.raw(38)
    need(peer[:6] == bytes.fromhex("002408011220"))
    m["peerId"] = peer.hex()
    for name in ("sequence", "allocatedGb", "storedChunks", "retentionPeriods"):
        m[name] = str(r.u(8))
    m["firstPeriod"], m["endPeriod"] = read_period(r), read_period(r)
    need(m["firstPeriod"] <= m["endPeriod"])
    count = r.u(1)
    need(count <= 8)
    m["listenAddresses"] = []
    for _ in range(count):
        text = r.sized(128)
        need(text and all(0x21 <= c <= 0x7E for c in text))
        m["listenAddresses"].append(text.decode())
    m["signature"] = read_signature(r)
    return m


def announcement(r):
    m = {"firstPeriod": read_period(r), "periodCount": r.u(2), "chunkCount": r.u(4), "rootsHash": r.raw(32).hex(), "incompleteSlots": []}
    need(1 <= m["periodCount"] <= 1024)
    for _ in range(r.u(2)):
        slot = r.u(2)
        need(slot < SLOTS and (not m["incompleteSlots"] or slot > m["incompleteSlots"][-1]))
        m["incompleteSlots"].append(slot)
    return m


def chunk_request(r):
    kind = r.u(1)
    need(kind < 2)
    m = {"wanted": ("chunk", "seals")[kind], "chunkId": r.raw(32).hex()}
    if kind:
        m["offset"] = r.u(4)
    return m


def chunk_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        place = {"period": read_period(r), "index": r.u(2), "chunkCount": r.u(2)}
        need(1 <= place["chunkCount"] <= 16384 and place["index"] < place["chunkCount"])
        place["path"] = [r.raw(32).hex() for _ in range(path_length(place["index"], place["chunkCount"]))]
        length = r.u(4)
        need(1 <= length <= MIB)
        m.update(position=place, data=r.raw(length).hex())
    return m


def seals_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        total, offset, length = r.u(4), r.u(4), r.u(4)
        need(1 <= length <= MIB and offset + length <= total)
        m.update(totalBytes=total, offset=offset, part=r.raw(length).hex())
    return m


def challenge(r):
    kind = r.u(1)
    need(kind < 2)
    m = {"kind": ("challenge", "rehearsal")[kind], "challengeId": read_challenge_id(r)}
    node = r.raw(34)
    need(node[:2] == b"\0\0")
    m.update(node=node.hex(), chunkId=r.raw(32).hex(), nonce=str(r.u(8)), issuedPeriod=read_period(r))
    drawn = r.u(1)
    need(drawn < 2)
    m["drawSignature"] = None
    if drawn:
        draw = r.raw(65)
        need(draw[0] == 0)
        m["drawSignature"] = draw.hex()
    return m


def challenge_proof(r):
    m = {"status": read_status(r), "challengeId": read_challenge_id(r)}
    if m["status"] == "ok":
        length = r.u(4)
        need(1 <= length <= 36 + 64 * 1344)
        m.update(proof=r.raw(length).hex(), signature=read_signature(r))
    return m


def have_request(r):
    m = {"fromHashSlot": r.u(2)}
    need(m["fromHashSlot"] < SLOTS)
    return m


def have_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        p = {"network": read_network(r), "headPeriod": read_period(r), "firstEra": r.u(4), "fromHashSlot": r.u(2), "endHashSlot": r.u(2)}
        need(p["fromHashSlot"] < p["endHashSlot"] <= SLOTS)
        p["held"] = [{"hashSlot": r.u(2), "endEra": r.u(4)} for _ in range(r.u(2))]
        slots = [x["hashSlot"] for x in p["held"]]
        need(slots == sorted(set(slots)) and all(p["fromHashSlot"] <= s < p["endHashSlot"] for s in slots))
        need(all(x["endEra"] >= p["firstEra"] for x in p["held"]))
        p["exceptions"] = [{"hashSlot": r.u(2), "era": r.u(4)} for _ in range(r.u(2))]
        pairs = [(x["hashSlot"], x["era"]) for x in p["exceptions"]]
        need(pairs == sorted(set(pairs)))
        ends = {x["hashSlot"]: x["endEra"] for x in p["held"]}
        need(all(p["firstEra"] <= era < ends.get(slot, 0) for slot, era in pairs))
        p["missingPeriods"] = [{"fromPeriod": read_period(r), "endPeriod": read_period(r)} for _ in range(r.u(1))]
        runs = [(x["fromPeriod"], x["endPeriod"]) for x in p["missingPeriods"]]
        need(len(runs) <= 64 and all(a < b for a, b in runs))
        need(all(b < c for (_, b), (c, _) in zip(runs, runs[1:])))
        need(all(a >= 128 * p["firstEra"] and b <= p["headPeriod"] for a, b in runs))
        p["signature"] = read_signature(r)
        m["page"] = p
    return m


def read_wanted(r):
    kind = r.u(1)
    need(kind < 2)
    return ("manifests", "roots")[kind]


def manifest_request(r):
    m = {"wanted": read_wanted(r), "firstPeriod": read_period(r), "periodCount": r.u(1)}
    need(1 <= m["periodCount"] <= 128)
    return m


def manifest_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        m.update(wanted=read_wanted(r), firstPeriod=read_period(r))
        count = r.u(1)
        need(1 <= count <= 128)
        m["items"] = []
        for _ in range(count):
            item = r.sized(MIB)
            need(m["wanted"] == "manifests" or len(item) in (0, 32))
            m["items"].append(item.hex() if item else None)
    return m


def block_request(r):
    count = r.u(1)
    need(1 <= count <= 16)
    return {"blocks": [read_wanted_block(r) for _ in range(count)]}


def read_wanted_block(r):
    m = {"thread": r.u(1)}
    need(m["thread"] < 32)
    m.update(beforePeriod=read_period(r), id=read_id(r))
    return m


def block_response(r):
    m = {"status": read_status(r), "id": read_id(r)}
    if m["status"] == "ok":
        m.update(record=r.sized(2 * MIB).hex(), seals=r.sized(2 * MIB).hex())
        need(m["seals"] and len(m["seals"]) % 128 == 0)
    return m


def era_request(r):
    return {"era": r.u(4)}


def era_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        m.update(era=r.u(4), eraRoot=r.raw(32).hex(), totalBytes=str(r.u(8)), totalChunks=str(r.u(8)), nextPlacementRoot=r.raw(32).hex())
        count = r.u(1)
        need(count <= 100)
        m["signatures"] = [read_signature(r) for _ in range(count)]
    return m


def audit_request(r):
    m = {"chunkId": r.raw(32).hex(), "leafIndex": r.u(2)}
    need(m["leafIndex"] < 1024)
    return m


def audit_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        index, length = r.u(2), r.u(4)
        count = -(-length // 1024)
        need(1 <= length <= MIB and index < count)
        m.update(leafIndex=index, byteLength=length, treeRoot=r.raw(32).hex(), leaf=r.raw(min(1024, length - 1024 * index)).hex())
        m["path"] = [r.raw(32).hex() for _ in range(path_length(index, count))]
    return m


def draw_request(r):
    return {"challengeId": read_challenge_id(r)}


def draw_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        drawn = r.raw(65)
        need(drawn[0] == 0)
        m["drawSignature"] = drawn.hex()
    return m


def suspicion_request(r):
    return {}


def suspicion_response(r):
    m = {"status": read_status(r)}
    if m["status"] == "ok":
        count = r.u(1)
        need(count <= 64)
        m["suspicions"] = [{"node": r.raw(34).hex(), "period": read_period(r), "index": r.u(2)} for _ in range(count)]
        nodes = [x["node"] for x in m["suspicions"]]
        need(nodes == sorted(set(nodes)) and all(x.startswith("0000") for x in nodes))
    return m


MESSAGES = {  # name: (reader, most bytes)
    "StorageCapabilities": (capabilities, 1 + 16 + 38 + 48 + 1 + 8 * 130 + 98), "ChunkAnnouncement": (announcement, 49 + 2 * SLOTS),
    "ChunkRequest": (chunk_request, 38), "ChunkResponse": (chunk_response, MIB + 1024), "SealsResponse": (seals_response, MIB + 1024),
    "Challenge": (challenge, 216), "ChallengeProof": (challenge_proof, 67 + 4 + 36 + 64 * 1344 + 98), "HaveRequest": (have_request, 3),
    "HaveResponse": (have_response, 65536), "ManifestRequest": (manifest_request, 11), "ManifestResponse": (manifest_response, MIB),
    "BlockRequest": (block_request, 2 + 16 * 42), "BlockResponse": (block_response, 2 * MIB), "EraRequest": (era_request, 5),
    "EraResponse": (era_response, 87 + 100 * 98), "AuditRequest": (audit_request, 35), "AuditResponse": (audit_response, 1384),
    "DrawRequest": (draw_request, 66), "DrawResponse": (draw_response, 67),
    "SuspicionRequest": (suspicion_request, 1), "SuspicionResponse": (suspicion_response, 3 + 64 * 44),
}


def decode(name, data):
    read, most = MESSAGES[name]
    need(len(data) <= most)
    r = Reader(data)
    if r.u(1) != 1:
        raise Refused(VERSION)
    message = read(r)
    need(r.at == len(data))
    return message


# ----------------------------------------------------------------------------------------------------------------- vectors

class Vectors:
    def __init__(self):
        self.files = {}

    def put(self, name, case, desc, data, want_code=None):
        path = f"{name}-{case}.json".lower()
        assert path not in self.files, path
        try:
            result = {"want": decode(name, data)}
        except Refused as e:
            result = {"wantErr": e.code}
        assert result.get("wantErr") == want_code, (path, str(result)[:200])
        self.files[path] = json.dumps({"desc": desc, "message": name, "bytes": data.hex(), **result}, indent=1) + "\n"

    def good(self, name, case, desc, data):
        self.put(name, case, desc, data)

    def bad(self, name, case, desc, data, code=INVALID):
        self.put(name, case, desc, data, code)

    def common(self, name, data):
        """A good message, and what is wrong with any: version, trailing byte, truncated, nothing."""
        self.good(name, "good", "each field with a value of its own", data)
        self.bad(name, "version-2", "a version that is not known", b"\2" + data[1:], VERSION)
        self.bad(name, "trailing-byte", "a byte too many", data + b"\0")
        self.bad(name, "truncated", "the last byte is missing", data[:-1])
        self.bad(name, "empty", "no bytes", b"")


def make(v):
    network = be(77, 8) + be(1795246964000, 8)
    peer = bytes.fromhex("002408011220") + h("peer")
    any_signature = signature("any text")

    def caps(peer=peer, sequence=1795250000000, first=0, end=5401, addresses=(b"/ip4/127.0.0.1/tcp/31500", b"/dns4/node.example/tcp/31500"), sign=True):
        content = network + peer + be(sequence, 8) + be(100, 8) + be(123456, 8) + be(0, 8) + be(first, 8) + be(end, 8) + be(len(addresses), 1)
        content += b"".join(vi(len(a)) + a for a in addresses)
        return b"\1" + content + (signature("massa-storage/capabilities/1:" + sha256(content).hex()) if sign else any_signature)

    name = "StorageCapabilities"
    v.common(name, caps())
    v.good(name, "eight-addresses", "limit: eight addresses of 128 bytes", caps(addresses=(b"/" * 128,) * 8, sign=False))
    v.bad(name, "nine-addresses", "limit: one address too many", caps(addresses=(b"/a",) * 9, sign=False))
    v.bad(name, "address-129", "limit: an address of 129 bytes", caps(addresses=(b"/" * 129,), sign=False))
    v.bad(name, "address-empty", "an address of no bytes", caps(addresses=(b"",), sign=False))
    v.bad(name, "address-space", "an address that is not printable", caps(addresses=(b"/ip4 x",), sign=False))
    v.good(name, "no-periods", "nothing archived yet", caps(first=7, end=7, sign=False))
    v.bad(name, "periods-backward", "the end before the beginning", caps(first=7, end=6, sign=False))
    v.good(name, "period-2-53", "limit: the highest period that is read", caps(end=SAFE, sign=False))
    v.bad(name, "period-past-2-53", "limit: one past it", caps(end=SAFE + 1, sign=False))
    v.bad(name, "peer-id-secp256k1", "a PeerId of another kind of key", caps(peer=bytes.fromhex("002508021221") + h("peer"), sign=False))

    def announce(first=100, count=2, slots=(0, 5, 16383), listed=None):
        return b"\1" + be(first, 8) + be(count, 2) + be(15, 4) + h("roots") + be(len(slots) if listed is None else listed, 2) + b"".join(be(s, 2) for s in slots)

    name = "ChunkAnnouncement"
    v.common(name, announce())
    v.good(name, "periods-1024", "limit: as many periods as may be told", announce(count=1024))
    v.bad(name, "periods-1025", "limit: one more", announce(count=1025))
    v.bad(name, "periods-0", "no periods", announce(count=0))
    v.bad(name, "slot-16384", "a hash slot that does not exist", announce(slots=(16384,)))
    v.bad(name, "slots-equal", "a hash slot twice", announce(slots=(5, 5)))
    v.bad(name, "slots-descending", "hash slots out of order", announce(slots=(6, 5)))
    v.bad(name, "slots-huge", "a count that must not be allocated", announce(slots=(), listed=65535))

    name = "ChunkRequest"
    v.common(name, b"\1\0" + h("chunk"))
    v.good(name, "seals", "SEALS from an offset on", b"\1\1" + h("chunk") + be(MIB, 4))
    v.bad(name, "wanted-2", "nothing that can be wanted", b"\1\2" + h("chunk"))
    v.bad(name, "chunk-with-offset", "an offset into a chunk", b"\1\0" + h("chunk") + be(0, 4))

    def chunk(index=1, count=3, length=4, data=b"data", path=None):
        n = path_length(index, count) if path is None and 0 <= index < count else path or 0
        return b"\1\0" + be(100, 8) + be(index, 2) + be(count, 2) + b"".join(h(f"path {i}") for i in range(n)) + be(length, 4) + data

    name = "ChunkResponse"
    v.common(name, chunk())
    for status in (1, 2, 3):
        v.good(name, f"status-{status}", STATUS[status], b"\1" + be(status, 1))
    v.bad(name, "status-4", "a status that is not known", b"\1\4")
    v.bad(name, "not-held-with-data", "data after a refusal", b"\1\1" + chunk()[2:])
    v.good(name, "chunk-16383-of-16384", "limit: as many chunks as a period has", chunk(16383, 16384))
    v.bad(name, "chunk-0-of-16385", "limit: one more", chunk(0, 16385, path=15))
    v.bad(name, "index-past-count", "a chunk past the last", chunk(3, 3, path=2))
    v.bad(name, "no-chunks", "a period of no chunks", chunk(0, 0, path=0))
    v.bad(name, "path-short", "a sibling too few", chunk(path=1))
    v.bad(name, "data-0", "a chunk of no bytes", chunk(length=0, data=b""))
    v.bad(name, "length-forged", "a length that must not be allocated", chunk(length=2**32 - 1))

    def seals(total=153, offset=25, part=b"s" * 128):
        return b"\1\0" + be(total, 4) + be(offset, 4) + be(len(part), 4) + part

    name = "SealsResponse"
    v.common(name, seals())
    v.good(name, "to-the-end", "limit: the last byte", seals(total=153, offset=152, part=b"s"))
    v.bad(name, "past-the-end", "limit: one past it", seals(total=153, offset=153, part=b"s"))
    v.bad(name, "part-0", "a part of no bytes", seals(part=b""))
    v.good(name, "not-held", "not held", b"\1\1")

    def chal(kind=0, ident=b"a1b2-C3_d4", node=b"\0\0" + h("node"), nonce=2**63 + 1, drawn=1, draw=b"\0" + b"d" * 64):
        return b"\1" + be(kind, 1) + vi(len(ident)) + ident + node + h("chunk") + be(nonce, 8) + be(4711, 8) + be(drawn, 1) + (draw if drawn else b"")

    name = "Challenge"
    v.common(name, chal())
    v.good(name, "rehearsal", "a rehearsal, not drawn", chal(kind=1, ident=b"m-1", drawn=0))
    v.bad(name, "kind-2", "a kind that is not known", chal(kind=2))
    v.bad(name, "flag-2", "a flag that is neither", chal(drawn=2))
    v.good(name, "id-64", "limit: the longest id", chal(ident=b"i" * 64))
    v.bad(name, "id-65", "limit: one longer", chal(ident=b"i" * 65, drawn=0))
    v.bad(name, "id-empty", "no id", chal(ident=b""))
    v.bad(name, "id-space", "an id with a space", chal(ident=b"a b"))
    v.bad(name, "node-contract", "a contract cannot be challenged", chal(node=b"\1\0" + h("node")))
    v.bad(name, "draw-version-1", "a signature of another version", chal(draw=b"\1" + b"d" * 64))

    def proof(length=8, data=b"proof by"):
        return b"\1\0" + vi(3) + b"m-1" + be(length, 4) + data + any_signature

    name = "ChallengeProof"
    v.common(name, proof())
    v.good(name, "not-held", "the chunk is not here", b"\1\1" + vi(3) + b"m-1")
    v.good(name, "proof-largest", "limit: 64 samples of a full chunk", proof(86052, b"p" * 86052))
    v.bad(name, "proof-past-largest", "limit: one byte more", proof(86053, b"p" * 86053))
    v.bad(name, "proof-0", "a proof of no bytes", proof(0, b""))

    name = "HaveRequest"
    v.common(name, b"\1" + be(16383, 2))
    v.bad(name, "slot-16384", "a hash slot that does not exist", b"\1" + be(16384, 2))

    def have(first_era=2, start=10, end=16384, held=((10, 42), (700, 41)), exceptions=((700, 2), (700, 40)), missing=((256, 257), (5300, 5400))):
        content = network + be(5400, 8) + be(first_era, 4) + be(start, 2) + be(end, 2) + be(len(held), 2)
        content += b"".join(be(s, 2) + be(e, 4) for s, e in held) + be(len(exceptions), 2) + b"".join(be(s, 2) + be(e, 4) for s, e in exceptions)
        content += be(len(missing), 1) + b"".join(be(a, 8) + be(b, 8) for a, b in missing)
        return b"\1\0" + content + signature("massa-storage/have/1:" + sha256(content).hex())

    name = "HaveResponse"
    v.common(name, have())
    v.good(name, "busy", "again later", b"\1\2")
    v.bad(name, "range-empty", "a page of no hash slots", have(start=10, end=10, held=(), exceptions=()))
    v.bad(name, "range-past-end", "past the last hash slot", have(end=16385))
    v.bad(name, "held-outside", "a hash slot of another page", have(start=11))
    v.bad(name, "held-twice", "a hash slot twice", have(held=((10, 42), (10, 42)), exceptions=()))
    v.bad(name, "held-descending", "hash slots out of order", have(held=((700, 41), (10, 42)), exceptions=()))
    v.bad(name, "held-before-first", "an end before the first era", have(first_era=43, exceptions=(), missing=()))
    v.bad(name, "exception-of-nothing", "an exception in a hash slot that is not held", have(exceptions=((11, 3),)))
    v.bad(name, "exception-at-end", "an exception past what is held", have(exceptions=((700, 41),)))
    v.bad(name, "exception-before-first", "an exception in an era that was dropped", have(exceptions=((700, 1),)))
    v.bad(name, "exceptions-equal", "an exception twice", have(exceptions=((700, 2), (700, 2))))
    runs = tuple((1000 + 2 * i, 1001 + 2 * i) for i in range(65))
    v.good(name, "missing-none", "every period is there", have(missing=()))
    v.good(name, "missing-64", "limit: 64 runs of missing periods", have(missing=runs[:64]))
    v.bad(name, "missing-65", "limit: one run more", have(missing=runs))
    v.bad(name, "missing-empty-run", "a run of no periods", have(missing=((300, 300),)))
    v.bad(name, "missing-touching", "two runs that are one", have(missing=((300, 301), (301, 302))))
    v.bad(name, "missing-descending", "runs out of order", have(missing=((400, 401), (300, 301))))
    v.bad(name, "missing-before-first", "a run in an era that is not told of", have(missing=((255, 257),)))
    v.bad(name, "missing-head", "the head period, which is archived", have(missing=((5399, 5401),)))

    name = "ManifestRequest"
    v.common(name, b"\1\1" + be(128, 8) + be(128, 1))
    v.bad(name, "periods-129", "limit: one period more than an era", b"\1\0" + be(128, 8) + be(129, 1))
    v.bad(name, "periods-0", "no periods", b"\1\0" + be(128, 8) + be(0, 1))
    v.bad(name, "wanted-2", "nothing that can be wanted", b"\1\2" + be(128, 8) + be(1, 1))

    def manifests(kind=0, items=(b"m" * 70, b""), count=None):
        return b"\1\0" + be(kind, 1) + be(128, 8) + be(len(items) if count is None else count, 1) + b"".join(vi(len(i)) + i for i in items)

    name = "ManifestResponse"
    v.common(name, manifests())
    v.good(name, "roots", "a root, and one that is not held", manifests(1, (h("root"), b"")))
    v.bad(name, "root-31", "a root of 31 bytes", manifests(1, (h("root")[1:],)))
    v.good(name, "items-128", "limit: an era", manifests(1, (b"",) * 128))
    v.bad(name, "items-129", "limit: one more", manifests(1, (b"",) * 129))
    v.bad(name, "items-0", "nothing", manifests(items=()))
    v.bad(name, "length-not-minimal", "a length in more bytes than it takes", b"\1\0\0" + be(128, 8) + b"\1" + b"\x81\x00" + b"m")

    def wanted(thread, before, label):
        return be(thread, 1) + be(before, 8) + b"\0" + h(label)

    def ids(count):
        return b"\1" + be(count, 1) + b"".join(wanted(i % 32, 100 + i, f"block {i}") for i in range(count))

    name = "BlockRequest"
    v.common(name, ids(2))
    v.good(name, "ids-16", "limit: as many as may be asked", ids(16))
    v.bad(name, "ids-17", "limit: one more", ids(17))
    v.bad(name, "ids-0", "none", ids(0))
    v.bad(name, "id-version-1", "an id of another version", b"\1\1" + be(3, 1) + be(100, 8) + b"\1" + h("block"))
    v.good(name, "thread-31", "limit: the last thread", b"\1\1" + wanted(31, 0, "block"))
    v.bad(name, "thread-32", "limit: one more", b"\1\1" + wanted(32, 0, "block"))
    v.bad(name, "period-too-large", "a period that is no safe integer", b"\1\1" + wanted(0, SAFE + 1, "block"))

    def block(record=b"r" * 200, sealed=b"s" * 128):
        return b"\1\0\0" + h("block") + vi(len(record)) + record + vi(len(sealed)) + sealed

    name = "BlockResponse"
    v.common(name, block())
    v.good(name, "not-held", "not here", b"\1\1\0" + h("block"))
    v.bad(name, "seals-65", "seals that are not whole signatures", block(sealed=b"s" * 65))
    v.bad(name, "seals-0", "no seals", block(sealed=b""))

    name = "EraRequest"
    v.common(name, b"\1" + be(41, 4))

    def era(count=1, given=None):
        head = b"\1\0" + be(41, 4) + h("era") + be(12345678, 8) + be(130, 8) + h("placement")
        return head + be(count, 1) + any_signature * (count if given is None else given)

    name = "EraResponse"
    v.common(name, era())
    v.good(name, "signatures-0", "nobody has signed yet", era(0))
    v.good(name, "signatures-100", "limit: as many as one call of the contract takes", era(100))
    v.bad(name, "signatures-101", "limit: one more", era(101))

    name = "AuditRequest"
    v.common(name, b"\1" + h("chunk") + be(1023, 2))
    v.bad(name, "leaf-1024", "limit: past the last leaf of a full chunk", b"\1" + h("chunk") + be(1024, 2))

    def audit(index=2, length=2500, leaf=b"l" * 452, path=1):
        return b"\1\0" + be(index, 2) + be(length, 4) + h("root") + leaf + b"".join(h(f"path {i}") for i in range(path))

    name = "AuditResponse"
    v.common(name, audit())
    v.good(name, "full-chunk", "limit: the last leaf of a full chunk", audit(1023, MIB, b"l" * 1024, 10))
    v.bad(name, "chunk-past-full", "limit: a chunk of one byte more", audit(1023, MIB + 1, b"l" * 1024, 11))
    v.bad(name, "leaf-past-last", "a leaf past the last", audit(3))
    v.bad(name, "chunk-0", "a chunk of no bytes", audit(0, 0, b"", 0))
    v.bad(name, "leaf-long", "a leaf of a byte more than it has", audit(leaf=b"l" * 453))

    name = "DrawRequest"
    v.common(name, b"\1" + vi(3) + b"m-1")
    v.good(name, "id-64", "limit: the longest id", b"\1" + vi(64) + b"x" * 64)
    v.bad(name, "id-65", "limit: one more", b"\1" + vi(65) + b"x" * 65)
    v.bad(name, "id-0", "no id", b"\1" + vi(0))
    v.bad(name, "id-space", "a character that an id has not", b"\1" + vi(3) + b"m 1")

    name = "DrawResponse"
    v.common(name, b"\1\0\0" + b"s" * 64)
    v.good(name, "not-held", "drawn by nothing that is kept here", b"\1\1")
    v.bad(name, "signature-version-1", "a signature of another version", b"\1\0\1" + b"s" * 64)
    v.bad(name, "signature-short", "a signature of a byte less", b"\1\0\0" + b"s" * 63)

    name = "SuspicionRequest"
    v.common(name, b"\1")

    def suspicions(*nodes, period=100):
        return b"\1\0" + be(len(nodes), 1) + b"".join(b"\0\0" + be(i, 32) + be(period, 8) + be(3, 2) for i in nodes)

    name = "SuspicionResponse"
    v.common(name, suspicions(1, 2))
    v.good(name, "suspicions-0", "nobody is suspected", suspicions())
    v.good(name, "suspicions-64", "limit: as many nodes as are told of", suspicions(*range(64)))
    v.bad(name, "suspicions-65", "limit: one more", suspicions(*range(65)))
    v.bad(name, "nodes-descending", "nodes that are not ascending", suspicions(2, 1))
    v.bad(name, "node-twice", "two chunks of one node", suspicions(1, 1))
    v.bad(name, "period-too-large", "a period that is no safe integer", suspicions(1, period=SAFE + 1))
    v.bad(name, "node-contract", "a node that is a contract", b"\1\0\1\0\1" + be(1, 32) + be(100, 8) + be(3, 2))
    v.good(name, "busy", "asked at a bad moment", b"\1\2")


def main():
    if not 2 <= len(sys.argv) <= 3 or sys.argv[2:] not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    folder, check = sys.argv[1], len(sys.argv) == 3
    v = Vectors()
    make(v)
    on_disk = set(os.listdir(folder)) if os.path.isdir(folder) else set()
    wrong = []
    for name in sorted(on_disk | set(v.files)):
        path = os.path.join(folder, name)
        text = v.files.get(name)
        old = open(path, encoding="utf-8", newline="").read() if name in on_disk else None
        if text == old:
            continue
        wrong.append(name)
        if check:
            print(f"differs: {name}")
        elif text is None:
            os.remove(path)
        else:
            os.makedirs(folder, exist_ok=True)
            with open(path, "w", encoding="utf-8", newline="") as f:
                f.write(text)
    negative = sum('"wantErr"' in text for text in v.files.values())
    print(f"{len(v.files)} vectors, {negative} negative, {len(wrong)} {'differ' if check else 'written'}")
    return 1 if check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
