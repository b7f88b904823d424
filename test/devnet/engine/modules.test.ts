import assert from 'node:assert/strict'
import type { OperationOutcome } from '../../../devnet/engine/index.ts'
import { ALICE, call, FEE, MAS, makeEngine, PROBE } from './engine-fixture.ts'
import { ALLOCATOR, type BuiltFunction, type BuiltModule, buildModule, leb, MESSENGER } from './wasm-builder.ts'

const EMPTY: BuiltFunction = { type: '>', export: 'run', code: [] }

describe('devnet/engine: modules that a node refuses', () => {
  for (const [what, bytecode, expected] of [
    ['of two bytes', Uint8Array.of(0, 1), /Too small bytecode$/],
    ['that is text', Buffer.from('(module)'), /Unsupported file format for SC\(.* matches the value `40`\)$/],
    ['with the wrong magic number', Uint8Array.of(0, 0x61, 0x73, 0x6e, 1, 0, 0, 0), /magic header not detected/],
    ['cut off', PROBE.subarray(0, PROBE.length - 5), /unexpected end|left over|too large/],
    ['with a byte too many', Buffer.concat([PROBE, Uint8Array.of(7)]), /unexpected end|unknown or out of order/],
    ['of a newer kind', Uint8Array.of(1, 0, 0, 0), /WasmV1/],
  ] as const) {
    it(`error: bytecode ${what}`, () => assert.match(run(bytecode).error ?? '', expected))
  }

  for (const [what, code] of [
    ['SIMD', [0xfd, 12, ...Array.from({ length: 16 }, () => 0), 0x1a]],
    ['threads', [0xfe, 3, 0]],
    ['reference types', [0xd0, 0x70, 0x1a]],
    ['`table.get`', [0x41, 0, 0x25, 0, 0x1a]],
    ['`table.set`', [0x41, 0, 0xd2, 0, 0x26, 0]],
    ['`table.grow`', [0xd2, 0, 0x41, 1, 0xfc, 15, 0, 0x1a]],
    ['`table.fill`', [0x41, 0, 0xd2, 0, 0x41, 1, 0xfc, 17, 0]],
    ['tail calls', [0x12, 0]],
    ['a block of several values', [0x02, 0x00, 0x0b]],
  ] as const) {
    it(`error: code with ${what}`, () => {
      assert.match(built({ functions: [{ ...EMPTY, code }] }).error ?? '', /not supported|not enabled/)
    })
  }

  it('error: code that is not well typed', () => {
    assert.match(built({ functions: [{ ...EMPTY, code: [0x6a] }] }).error ?? '', /Compiling function #0/)
  })

  it('limit: 768 functions, 1,024 exports, 512 globals, 1 custom section', () => {
    const functions = (count: number) => Array.from({ length: count }, (_, i) => ({ ...EMPTY, export: `f${i}` }))
    const pairs: readonly [string, BuiltModule, BuiltModule][] = [
      ['functions', { functions: [EMPTY, ...functions(767)] }, { functions: [EMPTY, ...functions(768)] }],
      ['global initializers', { functions: [EMPTY], globals: 512 }, { functions: [EMPTY], globals: 513 }],
      ['exports', { functions: [EMPTY], aliases: 1022 }, { functions: [EMPTY], aliases: 1023 }],
      [
        'custom sections',
        { functions: [EMPTY], customSections: ['a'] },
        { functions: [EMPTY], customSections: ['a', 'b'] },
      ],
    ]
    for (const [what, allowed, beyond] of pairs) {
      assert.equal(built(allowed).error, undefined)
      assert.match(built(beyond).error ?? '', new RegExp(`too many ${what}`))
    }
  })

  it('limit: 64 pages of memory', () => {
    assert.equal(built({ functions: [EMPTY], memory: { min: 64 } }).error, undefined)
    assert.equal(built({ functions: [EMPTY], memory: { min: 1, max: 64 } }).error, undefined)
    assert.match(
      built({ functions: [EMPTY], memory: { min: 65 } }).error ?? '',
      /Minimum exceeds the allowed memory limit/,
    )
    assert.match(built({ functions: [EMPTY], memory: { min: 1, max: 65 } }).error ?? '', /Maximum exceeds the allowed/)
  })

  it('error: a module without a memory', () => {
    assert.match(built({ functions: [EMPTY], memory: undefined }).error ?? '', /Missing export memory$/)
  })

  it('error: a module whose export `memory` is a function', () => {
    const functions: BuiltFunction[] = [EMPTY, { type: '>', export: 'memory', code: [] }]
    assert.match(
      built({ functions, memory: undefined }).error ?? '',
      /VM instance error: VM instance error: Incompatible Export Type$/,
    )
  })

  it('error: a function whose parameter is no pointer, in the words of a real node', () => {
    for (const [type, signature] of [
      ['I>', '[I64] -> []'],
      ['f>', '[F32] -> []'],
      ['F>', '[F64] -> []'],
      ['I>i', '[I64] -> [I32]'],
    ]) {
      const code = type === 'I>i' ? [0x41, 0] : []
      const { error, gasUsed } = built({ functions: [...ALLOCATOR, { type: type ?? '', export: 'run', code }] })
      assert.equal(
        error,
        `VM Error in CallSC context: VM execution error: VM instance error: RuntimeError: Parameters of type [I32] did not match signature ${signature}`,
      )
      assert(gasUsed > 0n)
    }
  })

  it('error: a function with two parameters, or one that returns a double', () => {
    const two = built({ functions: [...ALLOCATOR, { type: 'ii>', export: 'run', code: [] }] })
    assert.match(two.error ?? '', /Unexpected number of parameters in the function called$/)
    const double = [0x44, 0, 0, 0, 0, 0, 0, 0, 0]
    const result = built({ functions: [...ALLOCATOR, { type: 'i>F', export: 'run', code: double }] })
    assert.match(result.error ?? '', /Execution wasn't in capacity to read the return value$/)
  })
})

describe('devnet/engine: ExecuteSC', () => {
  it('error: of bytecode without `main`, in the words of the recorded node', () => {
    const engine = makeEngine()
    const [sender = ''] = engine.ledger.addresses()
    const execute = (bytecode: Uint8Array) => {
      const body = { kind: 'execute-sc', bytecode, datastore: [], maxGas: 10_000_000n, maxCoinsNanoMas: 0n } as const
      return engine.executeOperation({ sender, feeNanoMas: MAS, id: 'O1MyZnZey9JX', body })
    }
    const { events } = execute(PROBE)
    assert.equal(
      events[0]?.data,
      '{"massa_execution_error":"Runtime error: runtime error when executing operation O1MyZnZey9JX: VM Error in ExecuteSC context: VM execution error: VM instance error: Missing export main"}',
    )
    assert.deepEqual(events[0]?.callStack, [sender])
    assert.equal(execute(new Uint8Array()).error, 'Cache error: VM error: Too small bytecode')
  })
})

describe('devnet/engine: host functions', () => {
  it('error: one that no node has is named when the contract starts', () => {
    const imports = [{ module: 'massa', name: 'assembly_script_fly', type: 'i>i' }]
    const { error } = built({ imports, functions: [EMPTY] })
    assert.match(
      error ?? '',
      /VM instance error: Error while importing "massa"\."assembly_script_fly": unknown import\. Expected Function\(FunctionType \{ params: \[I32\], results: \[I32\] \}\)$/,
    )
  })

  it('error: one of another type is named too', () => {
    const imports = [{ module: 'massa', name: 'assembly_script_get_time', type: '>i' }]
    assert.match(
      built({ imports, functions: [EMPTY] }).error ?? '',
      /assembly_script_get_time": incompatible import type\. Expected .*results: \[I32\].* received .*results: \[I64\]/,
    )
  })

  it('error: the one that the engine lacks fails the call with its name and code', () => {
    const engine = makeEngine()
    const address = engine.placeContract(MESSENGER)
    const before = engine.ledger.balance(ALICE)
    const { success, error } = call(engine, address, 'run')
    assert.equal(success, false)
    assert.match(error ?? '', /massa\.assembly_script_send_message \(DEVNET_HOST_FUNCTION_MISSING\)$/)
    assert.equal(engine.ledger.balance(ALICE), before - FEE)
  })

  it('are shut while the start function runs', () => {
    const imports = [{ module: 'massa', name: 'assembly_script_get_time', type: '>I' }]
    const functions = [EMPTY, { type: '>', code: [0x10, 0, 0x1a] }]
    const { error } = built({ imports, functions, start: 2 })
    assert.match(error ?? '', /ABI calls are not available during instantiation$/)
  })

  it('take their price, and end the call when it cannot be paid', () => {
    const imports = [{ module: 'massa', name: 'assembly_script_create_sc', type: 'i>i' }]
    const functions = [...ALLOCATOR, { type: '>', export: 'run', code: [0x41, 0, 0x10, 0, 0x1a] }]
    assert.match(built({ imports, functions }, 500_000_000n).error ?? '', /Depth error: Runtime error: Out of gas$/)
  })

  it('limit: the last one may take all gas that is left', () => {
    const engine = makeEngine()
    const address = engine.placeContract(MESSENGER)
    const run = (maxGas?: bigint) =>
      call(engine, address, 'run', new Uint8Array(), maxGas === undefined ? {} : { maxGas })
    const { gasUsed } = run()
    assert.match(run(gasUsed).error ?? '', /DEVNET_HOST_FUNCTION_MISSING/)
    assert.match(run(gasUsed - 1n).error ?? '', /Out of gas$/)
  })

  it('refuse a pointer to nowhere', () => {
    const imports = [{ module: 'massa', name: 'assembly_script_print', type: 'i>' }]
    const print = (pointer: number[]) => {
      return built({ imports, functions: [{ type: '>', export: 'run', code: [0x41, ...pointer, 0x10, 0] }] }).error
    }
    assert.match(print([0]) ?? '', /address calculation overflow$/)
    assert.match(print([0x7f]) ?? '', /memory access out of bounds$/)
  })
})

describe('devnet/engine: gas of single operators', () => {
  const LAUNCH = 15_700n

  it('counts 23 for each, the last `end` too', () => {
    assert.equal(built({ functions: [EMPTY] }).gasUsed, LAUNCH + 23n)
    assert.equal(built({ functions: [{ ...EMPTY, code: [0x01, 0x01] }] }).gasUsed, LAUNCH + 3n * 23n)
  })

  it('does not count what stands before an `if` that is not taken', () => {
    // nop; i32.const n; if; nop; end; end
    const code = (condition: number) => [0x01, 0x41, condition, 0x04, 0x40, 0x01, 0x0b]
    assert.equal(built({ functions: [{ ...EMPTY, code: code(1) }] }).gasUsed, LAUNCH + 6n * 23n)
    assert.equal(built({ functions: [{ ...EMPTY, code: code(0) }] }).gasUsed, LAUNCH + 23n)
  })

  it('counts the start function once, below its own limit', () => {
    const spin = [0x03, 0x40, 0x0c, 0, 0x0b]
    const nops = { type: '>', code: Array.from({ length: 9 }, () => 0x01) }
    assert.equal(built({ functions: [EMPTY, nops], start: 1 }).gasUsed, LAUNCH + 23n + 10n * 23n)
    const { error } = built({ functions: [EMPTY, { type: '>', code: spin }], start: 1 })
    assert.match(error ?? '', /Not enough gas, limit reached at initialization$/)
  })
})

describe('devnet/engine: memory of a contract', () => {
  // Adds one to a global and to a byte of memory, and returns a buffer with both at 1,024.
  const count = [
    ...[0x23, 0, 0x41, 1, 0x6a, 0x24, 0],
    ...[0x41, 0, 0x41, 0, 0x2d, 0, 0, 0x41, 1, 0x6a, 0x3a, 0, 0],
    ...[0x41, ...leb(1020), 0x41, 2, 0x36, 2, 0],
    ...[0x41, ...leb(1024), 0x23, 0, 0x3a, 0, 0],
    ...[0x41, ...leb(1025), 0x41, 0, 0x2d, 0, 0, 0x3a, 0, 0],
  ]
  const give = [0x41, ...leb(1024)]
  const grow = [0x41, 1, 0x40, 0, 0x1a]

  for (const [what, more] of [
    ['simply', []],
    ['and makes its memory larger', grow],
    ['and traps afterwards', [0x00]],
  ] as const) {
    it(`is that of a new instance in every call of a contract that counts ${what}`, () => {
      const engine = makeEngine()
      const functions = [{ type: '>i', export: 'run', code: [...count, ...more, ...give] }]
      const data = [{ at: 5000, bytes: [1] }]
      const address = engine.placeContract(buildModule({ functions, globals: 1, data }))
      const outcomes = [1, 2, 3].map(() => call(engine, address, 'run'))
      assert.equal(new Set(outcomes.map(({ gasUsed }) => gasUsed)).size, 1)
      for (const { returned, error } of outcomes) {
        if (what === 'and traps afterwards') assert.match(error ?? '', /RuntimeError: unreachable/)
        else assert.deepEqual([...returned], [1, 1])
      }
    })
  }

  // `run` keeps a byte at 1,024 and gives it; functions 1 and 2 give their number.
  const keep = (value: readonly number[]) => [0x41, ...leb(1024), ...value, 0x3a, 0, 0]
  const keepFirst = keep([0x41, 0, 0x11, 0, 0])
  const [fromStart, fromNext] = [
    [0x41, 0, 0x41, 0, 0x41, 1],
    [0x41, 0, 0x41, 1, 0x41, 1],
  ]
  const farByte = [0x41, ...leb(65_536)]
  for (const [what, code, expected, module] of [
    [
      'drops a passive data segment',
      [0x41, ...leb(1024), 0x41, 0, 0x41, 1, 0xfc, 8, 0, 0, 0xfc, 9, 0],
      7,
      { data: [{ bytes: [7] }] },
    ],
    [
      'drops a passive element segment',
      [...fromStart, 0xfc, 12, 0, 0, 0xfc, 13, 0, ...keepFirst],
      2,
      { table: 1, elements: [{ functions: [2] }] },
    ],
    [
      'fills its table from a passive segment',
      [...keepFirst, ...fromStart, 0xfc, 12, 1, 0],
      1,
      { table: 1, elements: [{ at: 0, functions: [1] }, { functions: [2] }] },
    ],
    [
      'copies within its table',
      [...keepFirst, ...fromNext, 0xfc, 14, 0, 0],
      1,
      { table: 2, elements: [{ at: 0, functions: [1, 2] }] },
    ],
    ['makes its memory larger', [...keep([0x3f, 0]), ...grow], 1, {}],
    [
      'writes where its memory became larger',
      [...grow, ...keep([...farByte, 0x2d, 0, 0]), ...farByte, 0x41, 9, 0x3a, 0, 0],
      0,
      {},
    ],
  ] as const) {
    it(`sees nothing of an earlier call that ${what}`, () => {
      const engine = makeEngine()
      const run = [0x41, ...leb(1020), 0x41, 1, 0x36, 2, 0, ...code, ...give]
      const functions = [
        { type: '>i', export: 'run', code: run },
        ...[1, 2].map((n) => ({ type: '>i', code: [0x41, n] })),
      ]
      const address = engine.placeContract(buildModule({ functions, ...module }))
      for (let i = 0; i < 3; i++) {
        const { returned, error } = call(engine, address, 'run')
        assert.equal(error, undefined)
        assert.deepEqual([...returned], [expected])
      }
    })
  }

  it('is its own when a contract calls itself', () => {
    const engine = makeEngine()
    const probe = engine.placeContract(PROBE)
    const depth = (levels: number) => Uint8Array.from([levels, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    const first = call(engine, probe, 'nested', depth(20))
    const again = call(engine, probe, 'nested', depth(20))
    assert.equal(first.error, undefined)
    assert.equal(again.gasUsed, first.gasUsed)
    assert.deepEqual(
      again.events.map(({ data }) => data),
      Array.from({ length: 21 }, (_, i) => `depth ${20 - i}`),
    )
  })

  it('ends with an error of its own when a read-only call brings 10 MB', () => {
    const engine = makeEngine()
    const target = engine.placeContract(PROBE, MAS)
    const [caller = ''] = engine.ledger.addresses()
    const ask = (sizeBytes: number) => {
      const parameter = new Uint8Array(sizeBytes)
      return engine.executeReadOnlyCall({ caller, target, functionName: 'noop', parameter, maxGas: 4_000_000_000n })
    }
    assert.equal(ask(4_000_000).error, undefined)
    assert.match(
      ask(10_000_000).error ?? '',
      /^VM Error in ReadOnlyExecutionTarget::FunctionCall context: VM execution error: VM instance error: RuntimeError: unreachable\n {4}at <unnamed> \(<module>\[28\]:0x666\)\n/,
    )
  })
})

function run(bytecode: Uint8Array, maxGas = 500_000_000n): OperationOutcome {
  const engine = makeEngine()
  return call(engine, engine.placeContract(bytecode), 'run', new Uint8Array(), { maxGas })
}

function built(module: BuiltModule, maxGas?: bigint): OperationOutcome {
  return run(buildModule(module), maxGas)
}
