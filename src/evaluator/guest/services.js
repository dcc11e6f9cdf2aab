// Questions that the host answers on the spot: see services.ts.
({ host }) => ({
  /** `question` is the service's letter and what it is asked. */
  ask: (question) => {
    const answer = host(`S${question}`);
    if (answer === undefined) throw new RangeError('too long: 64 KiB are allowed here');
    return answer;
  },
});
