// crypto: bytes of the run's own chance, which is not for secrets: see random.js.
({ getterOf, getPrototypeOf, isObject, test, replace, next, publish }) => {
  const QUOTA_BYTES = 65_536;
  const INTEGERS = /^(?:Big)?(?:Ui|I)nt/;
  const typedArrayName = getterOf(getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);

  const fill = (bytes) => {
    for (let i = 0; i < bytes.length; i += 4) {
      const word = next();
      // What lies beyond the end is not written.
      bytes[i] = word;
      bytes[i + 1] = word >>> 8;
      bytes[i + 2] = word >>> 16;
      bytes[i + 3] = word >>> 24;
    }
    return bytes;
  };

  class Crypto {
    getRandomValues(array) {
      if (!isObject(array) || !test(INTEGERS, typedArrayName(array) ?? '')) {
        throw new DOMException('The data argument must be an integer-type TypedArray', 'TypeMismatchError');
      }
      if (array.byteLength > QUOTA_BYTES) {
        throw new DOMException('The requested length exceeds 65,536 bytes', 'QuotaExceededError');
      }
      fill(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
      return array;
    }

    /** Version 4, variant 1: RFC 9562, section 5.4. */
    randomUUID() {
      const bytes = fill(new Uint8Array(16));
      bytes[6] = (bytes[6] & 0x0f) | 0x40;
      bytes[8] = (bytes[8] & 0x3f) | 0x80;
      return replace(bytes.toHex(), /^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    }
  }

  publish(Crypto);

  return { crypto: new Crypto() };
};
