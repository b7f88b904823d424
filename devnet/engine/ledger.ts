/** A change of the ledger and how to take it back. */
type Change =
  | { readonly kind: 'created'; readonly account: Account }
  | { readonly kind: 'balance'; readonly account: Account; readonly previous: bigint }
  | { readonly kind: 'bytecode'; readonly account: Account; readonly previous: Uint8Array | undefined }
  | {
      readonly kind: 'value'
      readonly account: Account
      readonly key: string
      readonly previous: Uint8Array | undefined
    }

interface Account {
  readonly address: string
  balance: bigint
  bytecode: Uint8Array | undefined
  readonly values: Map<string, Uint8Array>
  /** Keys in order of bytes, until one is added or deleted. */
  sortedKeys: string[] | undefined
}

/** What happened to an address. Absent fields stayed as they were. */
export interface AddressChange {
  /** It did not exist before. */
  readonly created: boolean
  readonly balanceNanoMas?: bigint
  readonly bytecode?: Uint8Array
  /** By key as a latin-1 text; `undefined` for an entry that was deleted, of an address that was there before. */
  readonly datastore: ReadonlyMap<string, Uint8Array | undefined>
}

export type StateChanges = ReadonlyMap<string, AddressChange>

/** Place in the journal. */
export type LedgerMark = number

/**
 * Addresses with their coins, bytecode and datastore.
 *
 * Every change is kept in a journal, so going back costs as much as there was changed, however large the ledger. The
 * writing functions neither charge nor check anything: they are for setting up, and for the rules of execution.
 */
export class Ledger {
  private readonly accounts = new Map<string, Account>()
  private readonly journal: Change[] = []

  has(address: string): boolean {
    return this.accounts.has(address)
  }

  addresses(): Iterable<string> {
    return this.accounts.keys()
  }

  /** nanoMAS; 0n for an address that does not exist. */
  balance(address: string): bigint {
    return this.accounts.get(address)?.balance ?? 0n
  }

  bytecode(address: string): Uint8Array | undefined {
    return this.accounts.get(address)?.bytecode
  }

  /** The stored bytes, not to be written to. */
  value(address: string, key: Uint8Array): Uint8Array | undefined {
    return this.accounts.get(address)?.values.get(keyText(key))
  }

  hasValue(address: string, key: Uint8Array): boolean {
    return this.accounts.get(address)?.values.has(keyText(key)) ?? false
  }

  /** Keys that begin with `prefix`, in order of bytes. */
  keys(address: string, prefix: Uint8Array = new Uint8Array()): Uint8Array[] {
    const account = this.accounts.get(address)
    if (!account) return []
    account.sortedKeys ??= [...account.values.keys()].sort()
    const start = keyText(prefix)
    const keys: Uint8Array[] = []
    for (let i = findFirst(account.sortedKeys, start); i < account.sortedKeys.length; i++) {
      const key = account.sortedKeys[i] ?? ''
      if (!key.startsWith(start)) break
      keys.push(Buffer.from(key, 'latin1'))
    }
    return keys
  }

  /** Creates the address if it does not exist. */
  setBalance(address: string, nanoMas: bigint): void {
    const account = this.open(address)
    this.journal.push({ kind: 'balance', account, previous: account.balance })
    account.balance = nanoMas
  }

  /** Creates the address if it does not exist. Keeps the array: the caller must not write to it. */
  setBytecode(address: string, bytecode: Uint8Array): void {
    const account = this.open(address)
    this.journal.push({ kind: 'bytecode', account, previous: account.bytecode })
    account.bytecode = bytecode
  }

  /** Creates the address if it does not exist. Keeps `value`: the caller must not write to it. */
  setValue(address: string, key: Uint8Array, value: Uint8Array): void {
    this.putValue(this.open(address), keyText(key), value)
  }

  deleteValue(address: string, key: Uint8Array): void {
    const account = this.accounts.get(address)
    if (account?.values.has(keyText(key))) this.putValue(account, keyText(key), undefined)
  }

  mark(): LedgerMark {
    return this.journal.length
  }

  /** Takes back every change since the mark. */
  rollback(mark: LedgerMark): void {
    for (let change = this.popBeyond(mark); change; change = this.popBeyond(mark)) {
      const { account } = change
      switch (change.kind) {
        case 'created':
          this.accounts.delete(account.address)
          break
        case 'balance':
          account.balance = change.previous
          break
        case 'bytecode':
          account.bytecode = change.previous
          break
        case 'value':
          this.applyValue(account, change.key, change.previous)
      }
    }
  }

  /** Forgets how to take changes back; marks are void after it. */
  dropJournal(): void {
    this.journal.length = 0
  }

  /** What is different since the mark; an address that was only written to with what it had counts too. */
  changesSince(mark: LedgerMark): StateChanges {
    const changes = new Map<string, { -readonly [K in keyof AddressChange]: AddressChange[K] }>()
    const datastores = new Map<string, Map<string, Uint8Array | undefined>>()
    for (let i = mark; i < this.journal.length; i++) {
      const change = this.journal[i]
      if (!change) continue
      const { account } = change
      let entry = changes.get(account.address)
      if (!entry) {
        const datastore = new Map<string, Uint8Array | undefined>()
        datastores.set(account.address, datastore)
        entry = { created: false, datastore }
        changes.set(account.address, entry)
      }
      if (change.kind === 'created') entry.created = true
      else if (change.kind === 'balance') entry.balanceNanoMas = account.balance
      else if (change.kind === 'bytecode') entry.bytecode = account.bytecode ?? new Uint8Array()
      else datastores.get(account.address)?.set(change.key, account.values.get(change.key))
    }
    for (const [address, { created }] of changes) {
      const datastore = datastores.get(address) ?? new Map()
      if (created) for (const [key, value] of datastore) if (value === undefined) datastore.delete(key)
    }
    return changes
  }

  private open(address: string): Account {
    let account = this.accounts.get(address)
    if (!account) {
      account = { address, balance: 0n, bytecode: undefined, values: new Map(), sortedKeys: undefined }
      this.accounts.set(address, account)
      this.journal.push({ kind: 'created', account })
    }
    return account
  }

  private putValue(account: Account, key: string, value: Uint8Array | undefined): void {
    this.journal.push({ kind: 'value', account, key, previous: account.values.get(key) })
    this.applyValue(account, key, value)
  }

  private applyValue(account: Account, key: string, value: Uint8Array | undefined): void {
    const existed = account.values.has(key)
    if (value === undefined) account.values.delete(key)
    else account.values.set(key, value)
    if (existed !== (value !== undefined)) account.sortedKeys = undefined
  }

  private popBeyond(mark: LedgerMark): Change | undefined {
    return this.journal.length > mark ? this.journal.pop() : undefined
  }
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}

function findFirst(sorted: readonly string[], start: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] ?? '') < start) low = middle + 1
    else high = middle
  }
  return low
}
