// One end of a data channel between two tabs, and nothing else: what everybody who sends through a
// browser's channels pays at least.

const line = new BroadcastChannel("bare");
const link = new RTCPeerConnection();
const early = [];

const describe = async () => {
  await link.setLocalDescription();
  line.postMessage({ description: link.localDescription.toJSON() });
};

link.onicecandidate = ({ candidate }) => line.postMessage({ candidate: candidate?.toJSON() });
line.onmessage = async ({ data: { description, candidate } }) => {
  if (description) {
    await link.setRemoteDescription(description);
    if (description.type === "offer") {
      await describe();
    }
    early.splice(0).forEach((it) => link.addIceCandidate(it));
  } else if (candidate) {
    link.remoteDescription ? link.addIceCandidate(candidate) : early.push(candidate);
  }
};

const now = () => performance.timeOrigin + performance.now();

// Resolves once so many bytes are here.
window.receive = (bytes) => {
  window.received = new Promise((resolve) => {
    link.ondatachannel = ({ channel }) => {
      channel.binaryType = "arraybuffer";
      channel.onmessage = ({ data }) => {
        bytes -= data.byteLength;
        if (bytes <= 0) {
          resolve(now());
        }
      };
    };
  });
};

// Resolves once there is a channel.
window.dial = () => {
  window.channel = link.createDataChannel("bare");
  describe();
  return new Promise((resolve) => (channel.onopen = () => resolve(true)));
};

// Sends so many bytes, in messages of this size, with so much under way; returns when it began.
window.send = (bytes, size, underWay) => {
  const message = new Uint8Array(size);
  crypto.getRandomValues(message.subarray(0, 65_536));
  const more = () => {
    for (; bytes > 0 && channel.bufferedAmount < underWay; bytes -= size) {
      channel.send(message);
    }
  };
  channel.bufferedAmountLowThreshold = underWay / 2;
  channel.onbufferedamountlow = more;
  more();
  return now();
};
