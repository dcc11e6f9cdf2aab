/** Code that is named by what is put: each source is stored once, and no task ever names code that is not there. */
import type { Op, Session } from './coordinator.ts';
import type { Program } from './evaluator.ts';
import type { Layout } from './layout.ts';
import type { CodeCache } from './store.ts';

/** Hashes that are remembered. */
const STORED_MAX = 20_000;

export interface StoredCodeDeps {
  readonly session: Session;
  readonly layout: Layout;
  readonly code: CodeCache;
}

export class StoredCode {
  readonly #deps: StoredCodeDeps;
  /** Hashes whose nodes were seen to be there. */
  readonly #stored = new Set<string>();

  constructor(deps: StoredCodeDeps) {
    this.#deps = deps;
  }

  has(hash: string): boolean {
    return this.#stored.has(hash);
  }

  /** A write was refused: perhaps because what was there is gone. */
  forget(): void {
    this.#stored.clear();
  }

  /** Code that is gone comes back with the next put of its task, though nothing else has changed. */
  async mend(programs: readonly Program[]): Promise<void> {
    const unseen = programs.filter(({ hash }) => !this.#stored.has(hash));
    if (unseen.length === 0) return;
    const ops = await this.ops(unseen);
    if (ops.some(({ op }) => op === 'create')) await this.#deps.session.multi(ops);
  }

  /** Creates what is not stored yet, and checks what is. */
  async ops(programs: readonly Program[]): Promise<Op[]> {
    const { session, layout, code } = this.#deps;
    const byHash = new Map(programs.map((program) => [program.hash, program]));
    const unknown = [...byHash.keys()].filter((hash) => !this.#stored.has(hash));
    const nodes = await session.getMany(unknown.map((hash) => layout.code(hash)));
    const missing = new Set(unknown.filter((_, i) => nodes[i] === undefined));
    for (const program of byHash.values()) {
      code.put(program);
      if (this.#stored.size >= STORED_MAX) this.#stored.clear();
      this.#stored.add(program.hash);
    }
    return [...byHash.values()].map(({ hash, source }): Op => {
      const path = layout.code(hash);
      return missing.has(hash) ? { op: 'create', path, data: source } : { op: 'check', path };
    });
  }
}
