import {
  type HaveRequest,
  haveRequestCodec,
  haveResponseCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'
import type { HaveMap } from './have-map.ts'

/** Tells peers what this node holds, page by page. */
export function createHaveService(map: Pick<HaveMap, 'answer'>): StreamService<HaveRequest> {
  return {
    request: haveRequestCodec,
    priorityOf: () => 'repair',
    answer: async ({ fromHashSlot }) => [map.answer(fromHashSlot)],
    refuse: (_, status) => [haveResponseCodec.encode({ status })],
  }
}
