import { JsonList, type JsonText } from '../../telemetry/json-rpc/index.ts'
import type { ArchiveContext } from './archive-context.ts'

/**
 * What is known of these ids, in their order: from the archive, and what it has not from the node, if there is one. An id
 * that nobody knows is left out, as a node does.
 *
 * @param find - what the archive has of an id, for JSON
 */
export async function answerByIds(
  { node, signal }: ArchiveContext,
  { method, ids }: { readonly method: string; readonly ids: readonly string[] },
  find: (id: string) => Promise<unknown>,
): Promise<JsonText> {
  const list = new JsonList()
  const placesOf = new Map<string, number[]>()
  for (const id of ids) {
    signal.throwIfAborted()
    const found = await find(id)
    const place = list.push(found === undefined ? undefined : JSON.stringify(found))
    if (found === undefined) placesOf.set(id, [...(placesOf.get(id) ?? []), place])
  }
  if (node && placesOf.size > 0) {
    for (const item of await node.list(method, [[...placesOf.keys()]], signal)) {
      const { id } = JSON.parse(item) as { readonly id: string }
      for (const place of placesOf.get(id) ?? []) list.fill(place, item)
    }
  }
  return list.finish()
}
