import { formatAddress, type Operation } from '../../../../core/index.ts'
import { formatMas } from '../../../engine/index.ts'
import type { DevnetChain } from '../../chain/devnet-chain.ts'
import type { KnownOperation } from '../../chain/known-operation.ts'

/** Gas as a number, coins as decimal texts. */
export function operationToJson(chain: DevnetChain, known: KnownOperation): unknown {
  const { inclusion } = known
  return {
    id: known.id,
    in_pool: known.isPooled,
    in_blocks: known.inBlocks,
    is_operation_final: inclusion ? chain.isFinal(inclusion.slotIndex) : null,
    thread: known.thread,
    operation: {
      content: {
        fee: formatMas(known.operation.feeNanoMas),
        expire_period: Number(known.operation.expirePeriod),
        op: bodyToJson(known.operation),
      },
      signature: known.signature,
      content_creator_pub_key: known.publicKey,
      content_creator_address: known.creator,
      id: known.id,
    },
    op_exec_status: inclusion ? inclusion.success : null,
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
