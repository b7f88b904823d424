import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'
import type { RegistryOptions } from './commands/contract-show.ts'
import type { RegisterOptions, UnregisterOptions } from './commands/node-register.ts'
import type { NewWalletOptions } from './commands/wallet.ts'
import { parseAmount, parseWhole } from './parse-arguments.ts'

/** The operator's key, and his node in the registry. */
export function addAccount(program: Command, run: Run): void {
  addWallet(program, run)
  const another = 'another registry than the configured one'
  add(program, 'register', 'Register as a storage node, with a stake.', 'massa-storage register --gb 100')
    .option('--gb <gb>', 'GB to offer (default: allocated_storage_gb)', parseWhole)
    .option('--retention-periods <periods>', 'periods kept, 0 for ever (default: retention_periods)', parseWhole)
    .option('--stake <mas>', 'stake in MAS (default: what the registry requires)', parseAmount)
    .option('--operator <name>', 'name to publish, by which others may call the node (default: none)')
    .option('--address <address>', another)
    .option('-y, --yes', 'spend without asking')
    .action((options: RegisterOptions, command) =>
      run(async (context, signal) =>
        (await import('./commands/node-register.ts')).registerNode(context, { ...options, signal }),
      )(command),
    )
  add(
    program,
    'unregister',
    'Leave the registry: call it once to leave, and after the unbonding again to be paid.',
    'massa-storage unregister',
  )
    .option('--address <address>', another)
    .option('-y, --yes', 'spend without asking')
    .action((options: UnregisterOptions, command) =>
      run(async (context, signal) =>
        (await import('./commands/node-register.ts')).unregisterNode(context, { ...options, signal }),
      )(command),
    )
  const node = add(program, 'node', 'Show a storage node of the registry.', 'massa-storage node info')
  add(node, 'info', 'Show what the registry has of a node.', 'massa-storage node info --json')
    .argument('[node]', 'address of the node (default: that of the wallet)')
    .option('--address <address>', another)
    .action((address: string | undefined, options: RegistryOptions, command) =>
      run(async (context) => (await import('./commands/node-info.ts')).nodeInfo(context, address, options))(command),
    )
}

function addWallet(program: Command, run: Run): void {
  const wallet = add(
    program,
    'wallet',
    'Make, import or show the key that signs and pays.',
    'massa-storage wallet create',
  )
  add(wallet, 'create', 'Make a new key in an encrypted wallet file.', 'massa-storage wallet create')
    .option('--file <file>', 'where to write it (default: wallets/wallet_ADDRESS.yaml)')
    .option('--nickname <name>', 'name in the file (default: the address)')
    .action((options: NewWalletOptions, command) =>
      run(async (context) => (await import('./commands/wallet.ts')).walletCreate(context, options))(command),
    )
  add(
    wallet,
    'import',
    'Put a key that is there into a wallet file.',
    'massa-storage wallet import ~/massa-client/wallets/wallet_AU12....yaml',
  )
    .argument('[key]', 'wallet file, or file with a secret key (default: MASSA_STORAGE_SECRET_KEY, or asked)')
    .option('--file <file>', 'where to write it (default: wallets/wallet_ADDRESS.yaml)')
    .option('--nickname <name>', 'name in the file (default: the address)')
    .action((key: string | undefined, options: NewWalletOptions, command) =>
      run(async (context) => (await import('./commands/wallet.ts')).walletImport(context, key, options))(command),
    )
  add(wallet, 'balance', 'Show the coins of an address.', 'massa-storage wallet balance')
    .argument('[address]', 'address to look at (default: that of the wallet)')
    .action((address: string | undefined, _options, command) =>
      run(async (context) => (await import('./commands/wallet.ts')).walletBalance(context, address))(command),
    )
  add(wallet, 'address', 'Show the address of the wallet; needs no password.', 'massa-storage wallet address').action(
    (_options, command) =>
      run(async (context) => (await import('./commands/wallet.ts')).walletAddress(context))(command),
  )
}
