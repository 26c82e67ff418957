// Direct links (WebRTC), which the page makes because workers can't: as our own page does in
// web-peer/src/page/direct.rs. The data channel is the worker's from the task on in which it was
// made; where a browser can't hand it over, the relay goes on carrying everything.

// A STUN server may never answer: what is there after this has to do.
const GATHER_WITHIN_MS = 2000;
// A connection that lost its peer may come back by itself.
const MEND_WITHIN_MS = 5000;

export class Directs {
  #engine;
  #links = new Map();
  // All links have one, by which others know whom they are linked with.
  #certificate;

  constructor(engine) {
    this.#engine = engine;
  }

  async handle({ id, work, theirs, stun }) {
    if (work === "drop") {
      return this.#drop(id);
    }
    try {
      if (work === "accept") {
        await this.#links.get(`${id}`)?.setRemoteDescription({ type: "answer", sdp: theirs });
        return;
      }
      const connection = await this.#open(id, stun);
      if (work === "offer") {
        this.#handOver(id, connection.createDataChannel("tabswarm"));
      } else {
        await connection.setRemoteDescription({ type: "offer", sdp: theirs });
      }
      await connection.setLocalDescription();
      await gathered(connection);
      this.#engine.tell("direct", [...id, connection.localDescription.sdp]);
    } catch {
      this.#fail(id);
    }
  }

  end() {
    for (const connection of this.#links.values()) {
      close(connection);
    }
    this.#links.clear();
  }

  #drop(id) {
    const connection = this.#links.get(`${id}`);
    this.#links.delete(`${id}`);
    return connection && close(connection);
  }

  #fail(id) {
    if (this.#links.has(`${id}`)) {
      this.#drop(id);
      this.#engine.tell("direct", [...id, null]);
    }
  }

  async #open(id, stun) {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    this.#certificate ??= RTCPeerConnection.generateCertificate(algorithm);
    // Without it there are links all the same, that nobody is introduced through.
    const certificate = await this.#certificate.catch(() => null);
    const connection = new RTCPeerConnection({
      ...(certificate && { certificates: [certificate] }),
      iceServers: stun.map((urls) => ({ urls })),
    });
    this.#links.set(`${id}`, connection);
    connection.onconnectionstatechange = () => this.#look(id, connection);
    // Who answers gets the channel; a second one would be nobody's.
    connection.ondatachannel = ({ channel }) => {
      connection.ondatachannel = ({ channel }) => channel.close();
      this.#handOver(id, channel);
    };
    return connection;
  }

  #handOver(id, channel) {
    try {
      this.#engine.tell("channel", id, [channel], [channel]);
    } catch {
      this.#fail(id);
    }
  }

  #look(id, connection) {
    const state = connection.connectionState;
    if (state === "failed" || state === "closed") {
      this.#fail(id);
    } else if (state === "disconnected") {
      setTimeout(() => {
        if (connection.connectionState === "disconnected") {
          this.#fail(id);
        }
      }, MEND_WITHIN_MS);
    }
  }
}

const close = (connection) => {
  connection.onconnectionstatechange = null;
  connection.ondatachannel = null;
  connection.close();
};

const gathered = (connection) =>
  new Promise((resolve) => {
    const look = () => connection.iceGatheringState === "complete" && resolve();
    connection.addEventListener("icegatheringstatechange", look);
    setTimeout(resolve, GATHER_WITHIN_MS);
    look();
  });
