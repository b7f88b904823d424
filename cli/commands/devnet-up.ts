import { relative, resolve } from 'node:path'
import { systemClock } from '../../daemon/system-clock.ts'
import type { Speed } from '../../devnet/node/index.ts'
import {
  type NetworkListener,
  type NetworkReport,
  readDevnetParams,
  renderNetwork,
  runNetwork,
  summarizeNetwork,
} from '../../devnet/up/index.ts'
import { ALLOCATOR_SETTINGS, HEAP_SETTINGS } from '../allocator-settings.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { LiveLines } from '../live-lines.ts'
import { suggestNext } from '../suggest-next.ts'

export interface DevnetUpOptions {
  readonly sidecars: number
  readonly speed: number
  readonly turbo?: boolean
  readonly autoPorts?: boolean
  readonly cuttable?: boolean
  /** TOML file with settings of the registry. */
  readonly registryParams?: string
  /** By name of a sidecar: the file that it runs. */
  readonly sidecar?: ReadonlyMap<string, string>
  readonly nodeOption?: readonly string[]
}

/** Between lines where nothing is drawn anew. */
const LINE_INTERVAL_MS = 5_000

/**
 * The first of them ends the network; one more does not break that off, which would leave behind what is paused, nor
 * does it change the exit code of a process that is about to end.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const ignore = (): void => {}

/** A whole network on this machine, until a signal or `devnet down`. */
export async function devnetUp(context: Context, options: DevnetUpOptions, signal: AbortSignal): Promise<number> {
  const { output, env, cwd, flags } = context
  const directory = flags.data_dir === undefined ? undefined : resolve(cwd, `${flags.data_dir}`)
  const speed: Speed = options.turbo ? 'turbo' : options.speed
  const { registryParams: file } = options
  const registryParams = file === undefined ? undefined : readDevnetParams(resolve(cwd, file))
  const sidecarPrograms = new Map(Array.from(options.sidecar ?? [], ([name, file]) => [name, resolve(cwd, file)]))
  const listener = new NetworkScreen(context)
  output.line(
    `A Massa network on this machine, ${speed === 'turbo' ? 'in turbo' : `at speed ${speed}`}; Ctrl-C ends it.`,
  )
  for (const name of SIGNALS) if (!process.listeners(name).includes(ignore)) process.on(name, ignore)
  try {
    await runNetwork(
      {
        directory,
        sidecars: options.sidecars,
        speed,
        autoPorts: options.autoPorts ?? false,
        isCuttable: options.cuttable ?? false,
        sidecarPrograms,
        ...(options.nodeOption ? { nodeArguments: options.nodeOption } : {}),
        ...(registryParams && { registryParams }),
      },
      {
        program: { nodeArguments: HEAP_SETTINGS, env: { ...ALLOCATOR_SETTINGS, ...env } },
        clock: systemClock,
        listener,
      },
      signal,
    )
  } finally {
    listener.end()
  }
  output.line('Everything has ended.')
  return EXIT_CODES.ok.code
}

/** Steps as they are done, then a table that is drawn anew; a line now and then where there is no terminal. */
class NetworkScreen implements NetworkListener {
  private readonly context: Context
  private readonly live: LiveLines
  private readonly startedMs = performance.now()
  private shownMs = Number.NEGATIVE_INFINITY

  constructor(context: Context) {
    this.context = context
    this.live = new LiveLines(process.stdout)
  }

  onStep(step: string, text: string): void {
    const { output } = this.context
    output.value({ event: 'step', elapsedMs: this.elapsedMs, step, text })
    this.print(`[${(this.elapsedMs / 1000).toFixed(1).padStart(5)} s] ${step.padEnd(10)} ${text}`)
  }

  onReady(report: NetworkReport): void {
    this.context.output.value({ event: 'ready', elapsedMs: this.elapsedMs, ...report })
    for (const line of ['', 'Try next, in another terminal:', ...this.suggest(report), '']) this.print(line)
  }

  onReport(report: NetworkReport): void {
    const { output } = this.context
    const isDue = performance.now() - this.shownMs >= LINE_INTERVAL_MS
    if (isDue) this.shownMs = performance.now()
    if (output.json) {
      if (isDue) output.value({ event: 'report', elapsedMs: this.elapsedMs, ...report })
    } else if (output.quiet) return
    else if (output.columns !== undefined) this.live.draw(renderNetwork(report, output.columns - 1))
    else if (isDue) output.line(`[${(this.elapsedMs / 1000).toFixed(1).padStart(5)} s] ${summarizeNetwork(report)}`)
  }

  end(): void {
    this.live.keep()
  }

  private get elapsedMs(): number {
    return Math.round(performance.now() - this.startedMs)
  }

  private print(line: string): void {
    if (this.context.output.columns !== undefined) this.live.printAbove(line)
    else this.context.output.line(line)
  }

  private suggest(report: NetworkReport): string[] {
    const { cwd, flags } = this.context
    const near = relative(cwd, report.directory)
    const shown = near.startsWith('..') ? report.directory : near
    const named = flags.data_dir === undefined ? '' : ` --data-dir ${shown}`
    return suggestNext(report, shown, named)
  }
}
