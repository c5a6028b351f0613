// Makes a picture that Chromium has taken as small as PNG allows: Chromium compresses for speed.

import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = 8; // bytes

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; ++k) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});
const crc = (bytes) => (bytes.reduce((c, byte) => CRC[(c ^ byte) & 255] ^ (c >>> 8), 0xffffffff) ^ 0xffffffff) >>> 0;

// The parts of a PNG file: [["IHDR", bytes], …]
function parts(file) {
  const found = [];
  for (let at = SIGNATURE; at < file.length;) {
    const length = file.readUInt32BE(at);
    found.push([file.toString('latin1', at + 4, at + 8), file.subarray(at + 8, at + 8 + length)]);
    at += length + 12;
  }
  return found;
}

function part(name, bytes) {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), bytes]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(bytes.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc(body), body.length + 4);
  return whole;
}

function paeth(a, b, c) {
  const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

// What a filter expects of a byte from those to the left, above, and above to the left.
const EXPECTED = [() => 0, (a) => a, (a, b) => b, (a, b) => (a + b) >> 1, paeth];

// Rows of pixels without filters, one after the other.
function pixels(data, rowBytes, pixelBytes) {
  const height = data.length / (rowBytes + 1);
  const out = new Uint8Array(height * rowBytes);
  for (let y = 0; y < height; ++y) {
    const expected = EXPECTED[data[y * (rowBytes + 1)]];
    for (let x = 0; x < rowBytes; ++x) {
      const at = y * rowBytes + x;
      const [a, b, c] = neighbours(out, at, x, rowBytes, pixelBytes);
      out[at] = data[y * (rowBytes + 1) + 1 + x] + expected(a, b, c);
    }
  }
  return out;
}

function neighbours(out, at, x, rowBytes, pixelBytes) {
  const inside = x >= pixelBytes;
  const below = at >= rowBytes;
  return [inside ? out[at - pixelBytes] : 0, below ? out[at - rowBytes] : 0, inside && below ? out[at - rowBytes - pixelBytes] : 0];
}

// With one filter for all rows.
function filtered(raw, filter, rowBytes, pixelBytes) {
  const height = raw.length / rowBytes;
  const data = Buffer.alloc(height * (rowBytes + 1));
  for (let y = 0; y < height; ++y) {
    data[y * (rowBytes + 1)] = filter;
    for (let x = 0; x < rowBytes; ++x) {
      const at = y * rowBytes + x;
      data[y * (rowBytes + 1) + 1 + x] = raw[at] - EXPECTED[filter](...neighbours(raw, at, x, rowBytes, pixelBytes));
    }
  }
  return data;
}

// The same picture. Of a screen, whole rows repeat: one filter throughout is better than the best for each row.
export function smaller(file) {
  const found = parts(file);
  const header = found.find(([name]) => name === 'IHDR')[1];
  const [width, depth, color, interlaced] = [header.readUInt32BE(0), header[8], header[9], header[12]];
  assert.ok(depth === 8 && interlaced === 0 && (color === 2 || color === 6), 'a PNG as Chromium writes it');
  const pixelBytes = color === 2 ? 3 : 4;
  const rowBytes = width * pixelBytes;
  const raw = pixels(inflateSync(Buffer.concat(found.filter(([name]) => name === 'IDAT').map(([, bytes]) => bytes))), rowBytes, pixelBytes);
  const packed = [0, 1, 2].map((filter) => deflateSync(filtered(raw, filter, rowBytes, pixelBytes), { level: 9, memLevel: 9 }));
  const best = packed.reduce((one, other) => (other.length < one.length ? other : one));
  return Buffer.concat([file.subarray(0, SIGNATURE), part('IHDR', header), part('IDAT', best), part('IEND', Buffer.alloc(0))]);
}
