// Text and bytes. The host has the tables of encodings; bytes go there and back in base64, which the engine does fast.
({ ask, slice, charCodeAt, toWellFormed, publish, coded, refuse }) => {
  /** As much as fits into a question, whatever it is made of. */
  const CHUNK_UNITS = 16 * 1024;
  const CHUNK_BYTES = 45 * 1024;
  const BOM = 0xfeff;

  const none = () => new Uint8Array(0);

  /** The bytes of a buffer, or of a view of one; undefined for anything else. Not a copy. */
  const bytesOf = (source) => {
    if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    return source instanceof ArrayBuffer || source instanceof SharedArrayBuffer ? new Uint8Array(source) : undefined;
  };

  const concat = (first, second) => {
    if (first.length === 0) return second;
    const both = new Uint8Array(first.length + second.length);
    both.set(first);
    both.set(second, first.length);
    return both;
  };

  const isHighSurrogate = (unit) => (unit & 0xfc00) === 0xd800;

  const encode = (text) => {
    const wellFormed = toWellFormed(text);
    let bytes = none();
    for (let at = 0; at < wellFormed.length; ) {
      // Never half a surrogate pair.
      const end = at + CHUNK_UNITS - (isHighSurrogate(charCodeAt(wellFormed, at + CHUNK_UNITS - 1)) ? 1 : 0);
      bytes = concat(bytes, Uint8Array.fromBase64(ask(`E${slice(wellFormed, at, end)}`)));
      at = end;
    }
    return bytes;
  };

  /** A text that arrives in pieces. `rest` has bytes that begin a character. */
  const streamOf = (encoding, isFatal, keepsBom) => ({ encoding, isFatal, keepsBom, rest: none(), hasBegun: false });

  const decodeChunk = (stream, bytes, isLast) => {
    const { encoding, isFatal } = stream;
    const answer = ask(`D${encoding} ${isFatal ? 'f' : 'r'}${isLast ? '.' : '+'}${bytes.toBase64()}`);
    const restBytes = answer === 'E' ? 0 : Number(answer[0]);
    stream.rest = bytes.slice(bytes.length - restBytes);
    if (answer !== 'E') return slice(answer, 1);
    stream.hasBegun = false;
    const what = `The encoded data was not valid for encoding ${encoding}`;
    throw coded(new TypeError(what), 'ERR_ENCODING_INVALID_ENCODED_DATA');
  };

  const decode = (stream, bytes, isLast) => {
    let text = '';
    let at = 0;
    do {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      at += CHUNK_BYTES;
      text += decodeChunk(stream, concat(stream.rest, chunk), isLast && at >= bytes.length);
    } while (at < bytes.length);
    const hasBom = !stream.hasBegun && !stream.keepsBom && charCodeAt(text, 0) === BOM;
    stream.hasBegun = !isLast && (stream.hasBegun || text !== '');
    return hasBom ? slice(text, 1) : text;
  };

  class TextEncoder {
    get encoding() {
      return 'utf-8';
    }

    encode(text = '') {
      return encode(`${text}`);
    }

    encodeInto(source, destination) {
      if (!(destination instanceof Uint8Array)) throw new TypeError(refuse('dest', destination, 'a Uint8Array'));
      const text = toWellFormed(`${source}`);
      let [read, written] = [0, 0];
      while (read < text.length) {
        const unit = charCodeAt(text, read);
        const isPair = isHighSurrogate(unit);
        const bytes = unit < 0x80 ? 1 : unit < 0x800 ? 2 : isPair ? 4 : 3;
        if (written + bytes > destination.length) break;
        written += bytes;
        read += isPair ? 2 : 1;
      }
      destination.set(encode(slice(text, 0, read)));
      return { read, written };
    }
  }

  class TextDecoder {
    #stream;

    constructor(label = 'utf-8', options = {}) {
      const encoding = label === 'utf-8' ? label : ask(`N${label}`);
      if (encoding === '') {
        const allowed = 'UTF-8, UTF-16, and encodings of one byte per character';
        throw coded(new RangeError(refuse('encoding', `${label}`, allowed)), 'ERR_ENCODING_NOT_SUPPORTED');
      }
      this.#stream = streamOf(encoding, Boolean(options?.fatal), Boolean(options?.ignoreBOM));
    }

    get encoding() {
      return this.#stream.encoding;
    }

    get fatal() {
      return this.#stream.isFatal;
    }

    get ignoreBOM() {
      return this.#stream.keepsBom;
    }

    decode(input = none(), options = {}) {
      const bytes = bytesOf(input);
      if (bytes === undefined) {
        throw coded(new TypeError(refuse('list', input, 'an ArrayBuffer, a view of one')), 'ERR_INVALID_ARG_TYPE');
      }
      return decode(this.#stream, bytes, !options?.stream);
    }
  }

  publish(TextEncoder);
  publish(TextDecoder);

  return {
    TextEncoder,
    TextDecoder,
    bytesOf,
    encode,
    /** UTF-8, with replacements for what is none. */
    decodeUtf8: (bytes, keepsBom = false) => decode(streamOf('utf-8', false, keepsBom), bytes, true),
  };
};
