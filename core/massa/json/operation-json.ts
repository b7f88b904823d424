import { formatMas } from '../amount-text.ts'
import { formatAddress } from '../atoms.ts'
import type { Operation } from '../operation.ts'

/** One of `get_operations`, with ids, keys and signatures as texts. */
export interface OperationForm {
  readonly id: string
  readonly isPooled: boolean
  readonly inBlocks: readonly string[]
  /** Of the sender: the only one whose blocks can have it. */
  readonly thread: number
  readonly operation: Operation
  readonly signature: string
  readonly publicKey: string
  readonly creator: string
  /** undefined: nobody knows of an execution. */
  readonly execution: { readonly isFinal: boolean; readonly success: boolean } | undefined
}

/** An operation as a node's JSON-RPC gives it: gas as a number, coins as decimal texts. */
export function operationToJson(form: OperationForm): unknown {
  const { execution } = form
  return {
    id: form.id,
    in_pool: form.isPooled,
    in_blocks: form.inBlocks,
    is_operation_final: execution?.isFinal ?? null,
    thread: form.thread,
    operation: {
      content: {
        fee: formatMas(form.operation.feeNanoMas),
        expire_period: Number(form.operation.expirePeriod),
        op: bodyToJson(form.operation),
      },
      signature: form.signature,
      content_creator_pub_key: form.publicKey,
      content_creator_address: form.creator,
      id: form.id,
    },
    op_exec_status: execution?.success ?? null,
  }
}

function bodyToJson({ body }: Operation): unknown {
  switch (body.kind) {
    case 'transaction':
      return {
        Transaction: { recipient_address: formatAddress(body.recipient), amount: formatMas(body.amountNanoMas) },
      }
    case 'roll-buy':
      return { RollBuy: { roll_count: Number(body.rollCount) } }
    case 'roll-sell':
      return { RollSell: { roll_count: Number(body.rollCount) } }
    case 'execute-sc':
      return {
        ExecuteSC: {
          data: [...body.bytecode],
          max_gas: Number(body.maxGas),
          max_coins: formatMas(body.maxCoinsNanoMas),
          datastore: body.datastore.map(({ key, value }) => [[...key], [...value]]),
        },
      }
    case 'call-sc':
      return {
        CallSC: {
          target_addr: formatAddress(body.target),
          target_func: body.functionName,
          param: [...body.parameter],
          max_gas: Number(body.maxGas),
          coins: formatMas(body.coinsNanoMas),
        },
      }
  }
}
