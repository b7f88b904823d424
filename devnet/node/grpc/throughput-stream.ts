import { fromU64 } from '../../../core/index.ts'
import { ThroughputRequest, ThroughputResponse } from '../../../telemetry/grpc/messages.ts'
import type { MessageSink } from '../../../telemetry/grpc/public-service.ts'
import type { ThroughputMeter } from './throughput.ts'

const DEFAULT_INTERVAL_SECONDS = 10n
const MAX_INTERVAL_SECONDS = 86_400n

/** Tells the throughput now and then, in real time. */
export class ThroughputStream {
  private readonly sink: MessageSink
  private readonly meter: ThroughputMeter
  private timer: NodeJS.Timeout | undefined

  constructor(sink: MessageSink, meter: ThroughputMeter) {
    this.sink = sink
    this.meter = meter
    sink.onClose(() => clearInterval(this.timer))
  }

  tell(): void {
    void this.sink.send(ThroughputResponse.encode({ throughput: this.meter.perSecond() }))
  }

  /** From now on as often as the request says. @throws RpcError */
  setInterval(request: Uint8Array): void {
    const asked = fromU64(ThroughputRequest.read(request).interval?.value)
    const seconds =
      asked === 0n ? DEFAULT_INTERVAL_SECONDS : asked < MAX_INTERVAL_SECONDS ? asked : MAX_INTERVAL_SECONDS
    clearInterval(this.timer)
    this.timer = setInterval(() => this.tell(), Number(seconds) * 1000)
  }
}
