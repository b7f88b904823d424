import type { ErrorEntry } from './error-entry.ts'

/** api: the sidecar's own HTTP. */
export const API_CODES = {
  API_AUDIT_UNDER_WAY: {
    kind: 'transient',
    when: 'The running sidecar is to audit the draws of a period while it audits those of another: each reads more than a hundred periods.',
    action: 'Wait some seconds.',
  },
  API_BIND_FAILED: {
    kind: 'input',
    when: 'An address of the HTTP API or of the metrics cannot be listened on.',
    action: 'Another program uses the port: choose another `api.bind` or `metrics.bind`, or port 0 for any free one.',
  },
  API_BUSY: {
    kind: 'transient',
    when: 'As many answers of a kind that take much memory or time are under way as the sidecar gives at a time: proofs, exports, event streams.',
    action: 'Ask again after `Retry-After`, in seconds.',
  },
  API_CHUNK_UNKNOWN: {
    kind: 'input',
    when: 'A node is to be challenged for a chunk of which only the beginning of the id is given, and none here begins so.',
    action: 'Give all 64 digits, or take an id from `massa-storage list-chunks`.',
  },
  API_CHAIN_OFF: {
    kind: 'input',
    when: 'The running sidecar is to issue a challenge on chain, and has no registry, no JSON-RPC address or no key.',
    action:
      'Set `storage_registry_address`, `contract.json_rpc_url` and `contract.key_file` and start it again, or add --rehearse.',
  },
  API_CHALLENGES_FULL: {
    kind: 'transient',
    when: 'As many challenges by hand are under way as the running sidecar follows at a time.',
    action: 'Wait until some are over: `massa-storage challenges list` shows them.',
  },
  API_CHUNK_UNCLAIMED: {
    kind: 'input',
    when: 'A node is to be challenged on chain for a chunk that is not known here, or that it has not said itself that it holds: it would lose stake for what it never promised.',
    action:
      'Take a chunk that `massa-storage chunk locate` finds at the node; have-maps are exchanged once a placement is in force. --unclaimed challenges anyway.',
  },
  API_DATA_DIR_OTHER: {
    kind: 'input',
    when: 'A request to the HTTP API asks for another data directory than the one that the running sidecar has open.',
    action: 'Check `data_dir`, and whether several sidecars of this machine have the same `api.bind`.',
  },
  API_DATA_DIR_UNNAMED: {
    kind: 'input',
    when: 'A request to the HTTP API takes work, and does not name the data directory that it is about: a web page could send it.',
    action: 'Use the `massa-storage` command of the same version as the running sidecar, which names it.',
  },
  API_IMPORT_APART: {
    kind: 'input',
    when: 'A running sidecar is to import periods that are neither right below what it has archived nor between.',
    action: 'Stop it, import, and start it again: it goes on above what is archived then.',
  },
  API_HOST_REFUSED: {
    kind: 'input',
    when: 'A request to the HTTP API names another host than loopback.',
    action: 'Ask http://127.0.0.1 or http://localhost.',
  },
  API_REQUEST_REFUSED: {
    kind: 'input',
    when: 'A request to the HTTP API is malformed, too large, or not sent in time.',
    action:
      'Look into docs/API.md for what is bounded; use the `massa-storage` command of the same version as the running sidecar.',
  },
  API_METHOD_UNKNOWN: {
    kind: 'input',
    when: 'A request to the HTTP API has a method that its path does not know.',
    action: 'Take one of those that `Allow` names: history is read by GET, JSON-RPC is asked by POST.',
  },
  API_NAME_AMBIGUOUS: {
    kind: 'input',
    when: 'Several nodes, chunks or challenges are called, or begin with, what a request calls one.',
    action: 'Give more of its id; a node by its address.',
  },
  API_PEER_INVALID: {
    kind: 'input',
    when: 'A peer to be banned is named by something that is no PeerId, or is the sidecar itself.',
    action: 'Take the PeerId from `massa-storage peers`.',
  },
  API_PEER_UNCONNECTED: {
    kind: 'transient',
    when: 'A node is to be challenged that no connected sidecar speaks for.',
    action: 'Take its address from `massa-storage peers`, and wait until it is connected.',
  },
  API_PEERS_OFF: {
    kind: 'input',
    when: 'The running sidecar is asked about its peers and meets none.',
    action: 'Set `p2p.enabled = true` and start it again.',
  },
  API_PERIOD_AHEAD: {
    kind: 'input',
    when: 'Final slots are to be followed from a period on that is more than an hour (225 periods) ahead of the newest archived one.',
    action:
      'Begin at the period that is said to be the newest, or with no period at all: then the next one comes first.',
  },
  API_FETCH_OFF: {
    kind: 'input',
    when: 'Somebody else than who runs this sidecar asks with `fetch=true` for what only others hold, and `api.fetch` is false.',
    action: 'Ask without it, or set `api.fetch = true` and start it again.',
  },
  API_HISTORY_OFF: {
    kind: 'input',
    when: 'The running sidecar is asked for what needs the index of ids and addresses, and keeps none.',
    action: 'Set `history.enabled = true` and start it again.',
  },
  API_HISTORY_UNKNOWN: {
    kind: 'input',
    when: 'What is asked for is not in this archive, or not found by its index.',
    action:
      'Look whether the id is right; what is older than the archive, or held by other nodes alone, is asked of those.',
  },
  API_RANGE_UNSATISFIABLE: {
    kind: 'input',
    when: 'A `Range` of an answer of the HTTP API begins behind its end.',
    action: 'Take `Content-Range` of the refusal, which says how many bytes there are.',
  },
  API_RATE_EXCEEDED: {
    kind: 'transient',
    when: 'An address asked for history, over HTTP, JSON-RPC or gRPC, more often than `api.max_requests_per_second` allows; proofs, whole periods and ranges count ten times.',
    action: 'Ask again after `Retry-After`, in seconds; who runs the sidecar may raise the limit, 0 is none.',
  },
  API_ROUTE_UNKNOWN: {
    kind: 'input',
    when: 'A request to the HTTP API is for a path that it does not have.',
    action: 'Look into docs/API.md or at `/v1/openapi.json`; a sidecar of an older version may lack it.',
  },
  API_TOKEN_WRONG: {
    kind: 'input',
    when: 'A request to the HTTP API signs, spends or imports a file, and does not carry the token of `api.token` in the data directory.',
    action: 'Run the command as the user of the sidecar, who can read its data directory.',
  },
  API_RETENTION_DIFFERENT: {
    kind: 'input',
    when: '`prune` has another `retention_periods` than the running sidecar that it asks.',
    action:
      'Use the configuration of the sidecar, or give the sidecar the number and start it again: it deletes by itself.',
  },
  API_QUERY_INVALID: {
    kind: 'input',
    when: 'A query to the HTTP API is not of the expected shape.',
    action: 'Use the `massa-storage` command of the same version as the running sidecar.',
  },
} as const satisfies Record<`API_${string}`, ErrorEntry>
