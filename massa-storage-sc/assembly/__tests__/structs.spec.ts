import { ByteReader, ByteWriter, parseHash, toHex } from '../codec';
import { Announcement } from '../structs/Announcement';
import { Challenge } from '../structs/Challenge';
import { EraAnchor } from '../structs/EraAnchor';
import { EraVote } from '../structs/EraVote';
import { PeriodStats } from '../structs/PeriodStats';
import { RegistryState } from '../structs/RegistryState';
import { StorageConfig } from '../structs/StorageConfig';
import { StorageNode, readNodeIndex, readVote } from '../structs/StorageNode';

const ADDRESS = 'AU12UBnqTHDQALpocVBnkPNy7y5CndUJQTLutaVDDFgMJcq5kQiKq';
const LONGEST = 'AS1234567890abcdefghijkmnopqrstuvwxyz1234567890abcdefg'.substr(
  0,
  53,
);
const ENCODED_CONFIG = 141;

function filled(size: i32): StaticArray<u8> {
  const bytes = new StaticArray<u8>(size);
  for (let i = 0; i < size; i++) bytes[i] = <u8>(i + 1);
  return bytes;
}

/** A record of every byte set, so that no field can be forgotten or mixed up unseen. */
function sameAgain(a: StaticArray<u8>, b: StaticArray<u8>): void {
  expect(toHex(b, b.length)).toBe(toHex(a, a.length));
}

function busyNode(): StorageNode {
  const writer = new ByteWriter(384).u8(1).paddedAddress(LONGEST);
  for (let i: u64 = 1; i <= 6; i++) writer.u64(i);
  writer.bool(true);
  for (let i: u64 = 7; i <= 22; i++) writer.u64(i);
  writer.u32(23).u32(24).u32(25).u64(26).u32(27).u64(28).bool(true).u64(29);
  writer.paddedAddress(ADDRESS).u64(30).u64(31).u8(32).u64(33);
  return StorageNode.deserialize(writer.bytes);
}

describe('records', () => {
  test('have their sizes and a leading version', () => {
    expect(new RegistryState().serialize().length).toBe(320);
    expect(new StorageNode(ADDRESS).serialize().length).toBe(384);
    const challenge = new Challenge('x');
    challenge.chunkId = filled(32);
    expect(challenge.serialize().length).toBe(176);
    expect(new PeriodStats(1).serialize().length).toBe(64);
    const era = new EraAnchor(1);
    era.root = filled(32);
    era.placementRoot = filled(32);
    expect(era.serialize().length).toBe(104);
    expect(new EraVote(filled(32)).serialize().length).toBe(49);
    expect(new Announcement(filled(32), 1).serialize().length).toBe(41);
    expect(new StorageConfig().serialize().length).toBe(ENCODED_CONFIG);
    expect(new StorageNode(ADDRESS).serialize()[0]).toBe(1);
    expect(new RegistryState().serialize()[0]).toBe(1);
  });

  test('keep every field of a node', () => {
    const node = busyNode();
    expect(node.address).toBe(LONGEST);
    expect(node.lastChallengedPeriod).toBe(6);
    expect(node.stake).toBe(7);
    expect(node.weightGb).toBe(11);
    expect(node.vote).toBe(12);
    expect(node.voteEra).toBe(13);
    expect(node.previousVote).toBe(14);
    expect(node.previousRetentionPeriods).toBe(22);
    expect(node.auditTotal).toBe(25);
    expect(node.lastStrikePeriod).toBe(28);
    expect(node.lastChallenger).toBe(ADDRESS);
    expect(node.slashedTotal).toBe(31);
    expect(node.rules).toBe(32);
    expect(node.movedEra).toBe(33);
    sameAgain(
      node.serialize(),
      StorageNode.deserialize(node.serialize()).serialize(),
    );
  });

  test('give vote and index of a node without decoding it', () => {
    const node = busyNode();
    node.vote = 500;
    node.voteEra = 9;
    node.previousVote = 400;
    node.index = 77;
    const record = node.serialize();
    expect(readVote(record, 9)).toBe(400);
    expect(readVote(record, 10)).toBe(500);
    expect(readVote(record, 33)).toBe(0);
    expect(readNodeIndex(record)).toBe(77);
  });

  test('keep every field of the totals', () => {
    const bytes = filled(320);
    bytes[0] = 1;
    for (let i = 216; i < 320; i++) bytes[i] = 0;
    // The flags: shortSince, paused and eraAnchors
    bytes[157] = 1;
    bytes[174] = 1;
    bytes[199] = 1;
    sameAgain(bytes, RegistryState.deserialize(bytes).serialize());
  });

  test('keep every field of a challenge', () => {
    const writer = new ByteWriter(176).u8(1).paddedAddress(LONGEST);
    writer.raw(filled(32)).u64(1).u64(2).u64(3).bool(true).bool(true);
    writer.paddedAddress(ADDRESS).u32(4).u8(5);
    const challenge = Challenge.deserialize('id', writer.bytes);
    expect(challenge.id).toBe('id');
    expect(challenge.deadline).toBe(3);
    expect(challenge.issuer).toBe(ADDRESS);
    expect(challenge.outcome).toBe(5);
    sameAgain(writer.bytes, challenge.serialize());
  });
});

describe('a record of another version', () => {
  throws('is no node', () => {
    const bytes = busyNode().serialize();
    bytes[0] = 2;
    StorageNode.deserialize(bytes);
  });

  throws('is no state', () => {
    const bytes = new RegistryState().serialize();
    bytes[0] = 0;
    RegistryState.deserialize(bytes);
  });

  throws('gives no vote', () => {
    const bytes = busyNode().serialize();
    bytes[0] = 2;
    readVote(bytes, 1);
  });

  throws('gives no index', () => {
    const bytes = busyNode().serialize();
    bytes[0] = 2;
    readNodeIndex(bytes);
  });
});

describe('config', () => {
  test('takes 6 fields and keeps the others', () => {
    const config = new StorageConfig();
    config.replicationFactor = 7;
    const writer = new ByteWriter(48);
    for (let i: u64 = 1; i <= 6; i++) writer.u64(i);
    const reader = new ByteReader(writer.bytes);
    config.update(reader);
    reader.end();
    expect(config.minStake).toBe(6);
    expect(config.replicationFactor).toBe(7);
    expect(config.recordRetentionPeriods).toBe(5400);
  });

  throws('refuses an argument that ends inside a field', () => {
    new StorageConfig().update(new ByteReader(new StaticArray<u8>(50)));
  });

  throws('refuses an argument of 5 fields', () => {
    new StorageConfig().update(new ByteReader(new StaticArray<u8>(40)));
  });

  test('is copied whole', () => {
    const config = new StorageConfig();
    config.rewardPerGbPerPeriod = 1;
    config.requireAnchors = true;
    config.adminDelayPeriods = 99;
    sameAgain(config.serialize(), config.copy().serialize());
  });
});

describe('codec', () => {
  test('reads what it writes', () => {
    const writer = new ByteWriter(26).text('ab').u64(u64.MAX_VALUE);
    writer.byteString(filled(4));
    const reader = new ByteReader(writer.bytes);
    expect(reader.text()).toBe('ab');
    expect(reader.u64()).toBe(u64.MAX_VALUE);
    expect(reader.byteString().length).toBe(4);
  });

  test('writes hex and reads it', () => {
    const hash = filled(32);
    expect(toHex(hash, 2)).toBe('0102');
    sameAgain(hash, parseHash(toHex(hash, 32), 'x'));
  });

  throws('refuses upper-case hex', () => {
    parseHash('A'.repeat(64), 'x');
  });

  throws('refuses hex of another length', () => {
    parseHash('a'.repeat(63), 'x');
  });

  throws('refuses trailing bytes', () => {
    const reader = new ByteReader(new StaticArray<u8>(9));
    reader.u64();
    reader.end();
  });

  throws('refuses a text longer than the input', () => {
    new ByteReader(new ByteWriter(6).u32(3).bytes).text();
  });

  throws('refuses a length that would wrap', () => {
    new ByteReader(new ByteWriter(8).u32(u32.MAX_VALUE).bytes).text();
  });

  throws('refuses bytes that are not ASCII', () => {
    new ByteReader(new ByteWriter(6).u32(2).u8(0xc3).u8(0xa9).bytes).text();
  });

  throws('refuses a bool of 2', () => {
    new ByteReader(new ByteWriter(1).u8(2).bytes).bool();
  });

  throws('refuses a list that ends inside an item', () => {
    const writer = new ByteWriter(12).u32(5).u32(4);
    new ByteReader(writer.bytes).texts(8, 'x');
  });

  throws('refuses one item too many', () => {
    const writer = new ByteWriter(12).u32(8).u32(0).u32(0);
    new ByteReader(writer.bytes).texts(1, 'x');
  });

  test('reads as many items as allowed', () => {
    const writer = new ByteWriter(12).u32(8).u32(0).u32(0);
    expect(new ByteReader(writer.bytes).texts(2, 'x').length).toBe(2);
  });
});
