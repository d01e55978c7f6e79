// Parses one message again and again with the npm package swift-parser; each line on standard input is one round.
"use strict";
const fs = require("fs");
const readline = require("readline");
const { SwiftParser } = require(`${process.argv[2]}/node_modules/swift-parser`);

const text = fs.readFileSync(process.argv[3], "latin1");
const messages = Number(process.argv[4]);
// swift-parser takes whole FIN messages only: the least of an envelope.
const fin = `{1:F01XHKCHKH1XXXX0000000000}{2:I543XHKCHKH1XXXXN}{4:\r\n${text}-}`;
const parser = new SwiftParser();
let fields = 0;

function parse() {
  parser.parse(fin, (error, message) => {
    if (error) throw error;
    fields = message.block4.fields.length;
  });
}

function round() {
  const times = new Array(messages);
  const began = process.hrtime.bigint();
  let before = began;
  for (let number = 0; number < messages; number++) {
    parse();
    const now = process.hrtime.bigint();
    times[number] = Number(now - before);
    before = now;
  }
  times.sort((a, b) => a - b);
  return {
    median_us: times[messages >> 1] / 1e3,
    min_us: times[0] / 1e3,
    per_second: (messages * 1e9) / Number(before - began),
    fields,
  };
}

readline.createInterface({ input: process.stdin }).on("line", () => console.log(JSON.stringify({ parse: round() })));
