// Runs a table of slow jobs side by side, because what they mostly do is wait. Each has its result under its name.

export interface Job {
  readonly name: string;
  run(): Promise<void>;
}

/**
 * Starts when the first result is asked for; at most `width` jobs run at once, in their order.
 * @returns the result of the job of that name; asked for again, the job is run again
 */
export function together(jobs: readonly Job[], width: number): (name: string) => Promise<void> {
  const results = new Map(jobs.map(({ name }) => [name, Promise.withResolvers<void>()]));
  let isStarted = false;
  const start = (): void => {
    isStarted = true;
    const queue = [...jobs];
    const work = async (): Promise<void> => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
        const result = results.get(job.name)!;
        // Some fail before anybody has asked; who asks later still hears of it.
        result.promise.catch(() => {});
        await job.run().then(result.resolve, result.reject);
      }
    };
    for (let worker = 0; worker < width; worker += 1) void work();
  };
  const asked = new Set<string>();
  return (name) => {
    if (!isStarted) start();
    if (asked.has(name)) return jobs.find((job) => job.name === name)!.run();
    asked.add(name);
    return results.get(name)!.promise;
  };
}
