// What the tests call in the page: one function for each way to reach the emulator. All results are plain JSON.

import { createFileRegistry, create, fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { createClient, ConnectError } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import grpcWeb from 'grpc-web';

const descriptors = new Uint8Array(await (await fetch('/services.desc')).arrayBuffer());
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));

const json = (schema, message) => toJson(schema, message, { registry });

// --- grpc-web, the library of the gRPC project; what its code generator would write is made from the descriptors here

function grpcWebMethod(path, type) {
  const [service, name] = path.split('/');
  const { input, output } = registry.getService(service).methods.find((method) => method.name === name);
  const descriptor = new grpcWeb.MethodDescriptor(
    `/${path}`, type, Object, Object, (message) => toBinary(input, message), (bytes) => fromBinary(output, bytes),
  );
  return { input, output, descriptor };
}

async function grpcWebUnary(base, format, path, request, metadata) {
  const { input, output, descriptor } = grpcWebMethod(path, grpcWeb.MethodType.UNARY);
  const client = new grpcWeb.GrpcWebClientBase({ format });
  const answer = {};
  await new Promise((resolve) => {
    const call = client.rpcCall(base + descriptor.name, create(input, request), metadata, descriptor, (error, message) => {
      if (error) answer.error = { code: error.code, message: error.message };
      if (message) answer.message = json(output, message);
      // The status event of a failed call is not sent by every version.
      setTimeout(resolve);
    });
    call.on('metadata', (headers) => { answer.headers = headers; });
  });
  return answer;
}

async function grpcWebStream(base, format, path, request, metadata) {
  const { input, output, descriptor } = grpcWebMethod(path, grpcWeb.MethodType.SERVER_STREAMING);
  const client = new grpcWeb.GrpcWebClientBase({ format });
  const answer = { messages: [] };
  await new Promise((resolve) => {
    const stream = client.serverStreaming(base + descriptor.name, create(input, request), metadata, descriptor);
    stream.on('data', (message) => answer.messages.push(json(output, message)));
    stream.on('error', (error) => {
      answer.error = { code: error.code, message: error.message };
      resolve();
    });
    stream.on('end', resolve);
  });
  return answer;
}

// --- connect-web, a second opinion on gRPC-Web, in binary over fetch

async function connect(base, path, request, headers) {
  const [service, name] = path.split('/');
  const schema = registry.getService(service);
  const method = schema.methods.find((each) => each.name === name);
  const client = createClient(schema, createGrpcWebTransport({ baseUrl: base }));
  const answer = { messages: [] };
  const options = { headers, onHeader: (received) => { answer.headers = Object.fromEntries(received); } };
  try {
    const result = client[method.localName](request, options);
    if (method.methodKind === 'server_streaming') {
      for await (const message of result) answer.messages.push(json(method.output, message));
    } else {
      answer.messages.push(json(method.output, await result));
    }
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    answer.error = { code, message: rawMessage };
  }
  return answer;
}

// --- what browsers have themselves

async function fetchText(url, options) {
  try {
    const response = await fetch(url, options);
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  } catch (error) {
    return { error: error.message };
  }
}

// Sends each of `messages` after the answer to the one before, an empty one last, and returns what came.
function webSocket(url, messages) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    const received = [];
    const left = [...messages, ''];
    const sendNext = () => { if (left.length > 0) socket.send(left.shift()); };
    socket.onopen = sendNext;
    socket.onmessage = (event) => {
      received.push(JSON.parse(event.data));
      sendNext();
    };
    socket.onclose = (event) => resolve({ received, code: event.code, reason: event.reason });
  });
}

window.clients = { grpcWebUnary, grpcWebStream, connect, fetchText, webSocket };
