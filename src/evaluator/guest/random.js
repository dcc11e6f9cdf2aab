// Chance: the same for the same seed, so that a run can be repeated. Not for secrets: whoever knows the seed knows all
// that comes of it, and a few numbers give away those that follow.
({ host }) => {
  const { imul } = Math;

  /** Most runs need no chance, and should not pay for it: the seed is asked for when it is first wanted. */
  let isSown = false;
  let a = 0;
  let b = 0;
  let c = 0;
  let counter = 0;

  // The seed's 128 bits. This is cyrb128 by bryc, in the public domain:
  // https://github.com/bryc/code/blob/master/jshash/PRNGs.md#addendum-a-seed-generating-functions
  const sow = (text) => {
    let [h1, h2, h3, h4] = [1779033703, 3144134277, 1013904242, 2773480762];
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      h1 = h2 ^ imul(h1 ^ unit, 597399067);
      h2 = h3 ^ imul(h2 ^ unit, 2869860233);
      h3 = h4 ^ imul(h3 ^ unit, 951274213);
      h4 = h1 ^ imul(h4 ^ unit, 2716044179);
    }
    h1 = imul(h3 ^ (h1 >>> 18), 597399067);
    h2 = imul(h4 ^ (h2 >>> 22), 2869860233);
    h3 = imul(h1 ^ (h3 >>> 17), 951274213);
    h4 = imul(h2 ^ (h4 >>> 19), 2716044179);
    a = h1 ^ h2 ^ h3 ^ h4;
    b = h2 ^ a;
    c = h3 ^ a;
    counter = h4 ^ a;
  };

  // sfc32 of Chris Doty-Humphrey's PractRand, in the public domain: 128 bits of state, 32 of them a counter.
  const mix = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };

  /** 32 bits. */
  const next = () => {
    if (!isSown) {
      isSown = true;
      sow(host('R') ?? '');
      // Its author's advice: the first twelve are still too much like the seed.
      for (let i = 0; i < 12; i++) mix();
    }
    return mix();
  };

  // 53 bits, as many as a number has.
  Math.random = { random: () => ((next() >>> 5) * 2 ** 26 + (next() >>> 6)) / 2 ** 53 }.random;

  return { next };
};
