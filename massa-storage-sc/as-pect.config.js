import createMockedABI from '@massalabs/massa-as-sdk/vm-mock';

/** The SDK's mock lists the call stack as `[ a , b ]`; a node gives JSON without blanks. */
function answerAsNode(imports, exportsOf) {
  const original = imports.massa.assembly_script_get_call_stack;
  imports.massa.assembly_script_get_call_stack = () => {
    const { __getString, __newString } = exportsOf();
    const addresses = __getString(original()).slice(2, -2).split(' , ');
    return __newString(JSON.stringify(addresses));
  };
  // The reports list results; events are looked at on the shipped wasm.
  imports.massa.assembly_script_generate_event = () => {};
  return imports;
}

export default {
  entries: ['assembly/__tests__/**/*.spec.ts'],
  include: ['assembly/__tests__/**/*.include.ts'],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    let wasm;
    const create = (imports) =>
      createImports(answerAsNode(imports, () => wasm.exports));
    const start = (bytes, imports) => {
      const instance = instantiate(bytes, imports);
      instance.then(
        (result) => {
          wasm = result;
        },
        // Without this the runner dies with a dump of its own source.
        (error) => console.error(error.message),
      );
      return instance;
    };
    return createMockedABI(memory, create, start, binary);
  },
  outputBinary: false,
};
