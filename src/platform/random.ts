// Randomness, as the rest of the program sees it, so that tests can own chance.

/** A number in [0, 1). */
export type Rng = () => number;

export const systemRng: Rng = () => Math.random();
