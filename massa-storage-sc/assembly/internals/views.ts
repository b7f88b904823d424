import { ByteWriter } from '../codec';
import { LIMIT_INVALID } from '../errors';
import { StorageNode } from '../structs/StorageNode';
import { accrue } from './accrual';
import { Reading } from './call';
import { readNodeAt, readTotalNodes } from './registration';

const MAX_PAGE: u32 = 50;

/** Everything a node would have if all its audits passed, with the index as it stands now. */
export function _calculatePendingRewards(address: string): u64 {
  const reading = new Reading();
  const node = StorageNode.load(address, reading.state);
  accrue(reading.state, reading.config, reading.period);
  const accrued = node.weightGb * (reading.state.index - node.indexPaid);
  return node.pendingRewards + node.underAudit + node.unvested + accrued;
}

/** registryVersion, total, and up to `limit` nodes from place `offset` on. */
export function _getNodes(offset: u64, limit: u32): StaticArray<u8> {
  assert(limit >= 1 && limit <= MAX_PAGE, LIMIT_INVALID);
  const reading = new Reading();
  const total = readTotalNodes();
  const items = new Array<StaticArray<u8>>();
  let listBytes = 0;
  for (let i: u64 = 0; i < limit && i < total; i++) {
    if (offset >= total - i) break;
    const address = readNodeAt(offset + i);
    const item = StorageNode.load(address, reading.state).encode();
    items.push(item);
    listBytes += item.length;
  }
  const writer = new ByteWriter(20 + listBytes)
    .u64(reading.state.registryVersion)
    .u64(total)
    .u32(listBytes);
  for (let i = 0; i < items.length; i++) writer.raw(items[i]);
  return writer.bytes;
}
