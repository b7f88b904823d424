import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'
import type { CallOptions } from './commands/contract-call.ts'
import type { ChangeOptions, ChangeStep } from './commands/contract-change.ts'
import type { DeployOptions } from './commands/contract-deploy.ts'
import type { RegistryOptions } from './commands/contract-show.ts'
import { parseAmount } from './parse-arguments.ts'

/** The registry as a contract, and calls of any contract. */
export function addContract(program: Command, run: Run): void {
  const contract = add(
    program,
    'contract',
    'Deploy, show, verify, change or call the storage-registry.',
    'massa-storage contract show',
  ).alias('sc')
  add(
    contract,
    'deploy',
    'Deploy a storage-registry and write its address into the configuration.',
    'massa-storage contract deploy --params registry.toml',
  )
    .option('--params <file>', 'TOML file with the settings of the registry (default: those of a private network)')
    .option('--admin <address>', 'who may change it (default: the address of the key)')
    .option('-y, --yes', 'spend without asking')
    .option('--force', 'although a registry is configured')
    .action((options: DeployOptions, command) =>
      run(async (context, signal) =>
        (await import('./commands/contract-deploy.ts')).contractDeploy(context, options, signal),
      )(command),
    )
  add(contract, 'show', 'Show what the chain has of the registry.', 'massa-storage contract show --json')
    .option('--address <address>', 'another registry than the configured one')
    .action((options: RegistryOptions, command) =>
      run(async (context) => (await import('./commands/contract-show.ts')).contractShow(context, options))(command),
    )
  add(
    contract,
    'verify',
    'Compare the code on the chain with the one of this release; exit code 5 when they differ.',
    'massa-storage contract verify',
  )
    .option('--address <address>', 'another registry than the configured one')
    .action((options: RegistryOptions, command) =>
      run(async (context) => (await import('./commands/contract-show.ts')).contractVerify(context, options))(command),
    )
  add(
    contract,
    'call',
    'Call a function of the registry or of another contract.',
    'massa-storage sc call storage_registry get_node_info AU12...',
  )
    .argument('<contract>', 'storage_registry, or the address of a contract (AS1...)')
    .argument('<function>', 'its name; of the registry also in snake_case')
    .argument(
      '[args...]',
      'its arguments; of other contracts with their types, e.g. u64:5 string:x bytes:00ff u8[]:1,2',
    )
    .option('--address <address>', 'another registry than the configured one')
    .option('--coins <mas>', 'coins to send with the call, in MAS', parseAmount)
    .option('--read-only', 'only try it: nothing is signed, sent or spent')
    .option('--returns <type>', 'type of what another contract returns, e.g. u64')
    .option('-y, --yes', 'spend without asking')
    .action((target: string, functionName: string, args: string[], options: CallOptions, command) =>
      run(async (context, signal) =>
        (await import('./commands/contract-call.ts')).contractCall(
          context,
          { target, functionName, args },
          { ...options, signal },
        ),
      )(command),
    )
  addChange(contract, run, 'config')
  addChange(contract, run, 'upgrade')
}

/** Both kinds of change are announced first and applied after the registry's delay. */
function addChange(contract: Command, run: Run, name: 'config' | 'upgrade'): void {
  const noun = name === 'config' ? 'settings' : 'code'
  const example = `massa-storage contract ${name}`
  const change = add(contract, name, `Change the ${noun} of the registry: announce, wait, apply.`, `${example} show`)
  add(change, 'show', `Show which ${noun} are announced, and when they may be applied.`, `${example} show`)
    .option('--address <address>', 'another registry than the configured one')
    .action((options: RegistryOptions, command) =>
      run(async (context) =>
        (await import('./commands/contract-change.ts')).contractPending(
          context,
          name === 'config' ? 'config' : 'code',
          options,
        ),
      )(command),
    )
  const steps: readonly (readonly [ChangeStep, string])[] = [
    ['announce', `Make known which ${noun} will be applied.`],
    ['apply', `Apply announced ${noun}.`],
  ]
  for (const [step, description] of steps) {
    const command = add(change, step, description, `${example} ${step}${name === 'config' ? ' registry.toml' : ''}`)
      .option('--address <address>', 'another registry than the configured one')
      .option('-y, --yes', 'spend without asking')
    if (name === 'config') {
      command
        .argument('<file>', 'TOML file; settings that it leaves out stay as they are')
        .action((file: string, options: ChangeOptions, self) =>
          run(async (context, signal) =>
            (await import('./commands/contract-change.ts')).contractConfig(context, step, file, { ...options, signal }),
          )(self),
        )
    } else {
      command
        .argument('[file]', 'WebAssembly file (default: the one of this release)')
        .action((file: string | undefined, options: ChangeOptions, self) =>
          run(async (context, signal) =>
            (await import('./commands/contract-change.ts')).contractUpgrade(context, step, file, {
              ...options,
              signal,
            }),
          )(self),
        )
    }
  }
}
