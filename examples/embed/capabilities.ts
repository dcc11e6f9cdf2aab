/** What this program lets its tasks do, beside computing: they may call these by name, if their manifest says so. */
export interface Order {
  readonly id: number;
  readonly total: number;
}

/** Sent invoices, by key. A run may be repeated, so whoever takes part in an effect remembers the key. */
export const invoices = new Map<string, Order>();

export const capabilities = {
  'send-invoice': (order: Order, key: string): string => {
    if (invoices.has(key)) return 'sent before';
    invoices.set(key, order);
    return 'sent';
  },
};
