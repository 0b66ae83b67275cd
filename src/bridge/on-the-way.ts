/** Messages of one client that may be on their way to the service at once, of those that get no reply. */
const MAX_MESSAGES = 1024;

/** What of the client's is being sent and gets no reply: how much of it there is. */
export class OnTheWay {
  #messages = 0;
  #bytes = 0;
  #isDropping = false;

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#messages >= MAX_MESSAGES;
  }

  /** One was dropped. True for the first since one was taken: a flood must not fill the log instead. */
  drop(): boolean {
    const isFirst = !this.#isDropping;
    this.#isDropping = true;
    return isFirst;
  }

  /** @param sent never rejects */
  async add(bytes: number, sent: Promise<void>): Promise<void> {
    this.#isDropping = false;
    this.#messages += 1;
    this.#bytes += bytes;
    await sent;
    this.#messages -= 1;
    this.#bytes -= bytes;
  }
}
