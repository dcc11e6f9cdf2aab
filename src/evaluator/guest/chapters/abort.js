// AbortController and AbortSignal: how a task gives up on something.
({ fail, push, publish, timers }) => {
  const KEY = Symbol('AbortSignal');

  let abort;

  class AbortSignal {
    #isAborted = false;
    #reason;
    #listeners = [];
    onabort = null;

    static {
      abort = (signal, reason = new DOMException('This operation was aborted', 'AbortError')) => {
        if (signal.#isAborted) return;
        signal.#isAborted = true;
        signal.#reason = reason;
        const listeners = [...signal.#listeners, { callback: signal.onabort }];
        signal.#listeners = [];
        for (const { callback } of listeners) signal.#tell(callback);
      };
    }

    static abort(reason) {
      const signal = new AbortSignal(KEY);
      abort(signal, reason);
      return signal;
    }

    static timeout(delayMs) {
      const signal = new AbortSignal(KEY);
      const reason = () => new DOMException('The operation was aborted due to timeout', 'TimeoutError');
      timers.setTimeout(() => abort(signal, reason()), delayMs);
      return signal;
    }

    static any(signals) {
      const any = new AbortSignal(KEY);
      for (const signal of signals) {
        if (signal.aborted) abort(any, signal.reason);
        else signal.addEventListener('abort', () => abort(any, signal.reason));
      }
      return any;
    }

    constructor(key) {
      if (key !== KEY) throw new TypeError('Illegal constructor');
    }

    get aborted() {
      return this.#isAborted;
    }

    get reason() {
      return this.#reason;
    }

    throwIfAborted() {
      if (this.#isAborted) throw this.#reason;
    }

    addEventListener(type, callback) {
      const isNew = this.#listeners.every((listener) => listener.callback !== callback);
      if (type === 'abort' && isNew) push(this.#listeners, { callback });
    }

    removeEventListener(type, callback) {
      if (type === 'abort') this.#listeners = this.#listeners.filter((listener) => listener.callback !== callback);
    }

    #tell(callback) {
      const event = { type: 'abort', target: this, currentTarget: this };
      try {
        if (typeof callback === 'function') callback.call(this, event);
        else callback?.handleEvent(event);
      } catch (error) {
        fail(error);
      }
    }
  }

  class AbortController {
    #signal = new AbortSignal(KEY);

    get signal() {
      return this.#signal;
    }

    abort(reason) {
      abort(this.#signal, reason);
    }
  }

  publish(AbortSignal);
  publish(AbortController);

  return { AbortController, AbortSignal };
};
