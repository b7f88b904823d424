import { generateEvent } from '@massalabs/massa-as-sdk';

/** NAME:field,field. No field holds a comma: ids, addresses and numbers cannot, and free texts are never sent. */
export function emit(name: string, fields: string[]): void {
  generateEvent(name + ':' + fields.join(','));
}

export function text(value: bool): string {
  return value ? 'true' : 'false';
}
