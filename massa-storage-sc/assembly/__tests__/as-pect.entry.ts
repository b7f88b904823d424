// The runner's own entry, by package name: npm may install it here or in the folder above.
export * from '@as-pect/assembly/assembly/index';
