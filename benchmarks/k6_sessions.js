// The same sessions by k6: reset, a step of WAIT seconds, close, at RATE a second for SECONDS.
import ws from "k6/ws";
import { Counter, Trend } from "k6/metrics";

const answered = new Trend("answered", true);
const good = new Counter("good");

export const options = {
  scenarios: {
    load: {
      executor: "constant-arrival-rate",
      rate: Number(__ENV.RATE),
      timeUnit: "1s",
      duration: `${__ENV.SECONDS}s`,
      startTime: "2s",
      preAllocatedVUs: Number(__ENV.USERS),
      gracefulStop: "20s",
    },
  },
  summaryTrendStats: ["count", "med", "p(99)", "max"],
};

export function setup() {
  console.log("users are ready");
}

export default function () {
  const begun = Date.now();
  let messages = 0;
  ws.connect(`${__ENV.URL}/ws`, {}, (socket) => {
    socket.on("open", () => socket.send('{"type": "reset", "data": {}}'));
    socket.on("message", (text) => {
      messages += 1;
      if (messages === 1) {
        socket.send(`{"type": "step", "data": {"wait_seconds": ${__ENV.WAIT}}}`);
      } else {
        answered.add(Date.now() - begun);
        if (JSON.parse(text).type === "observation") good.add(1);
        socket.send('{"type": "close"}');
      }
    });
  });
}
