// The story of a promise at risk, told by an application in TypeScript that has nothing of ours but the contracts.
// Its types are generated from them: see tests/e2e/test_other_clients.py, which compiles and runs this.
// node story.js ADDRESSES TOKENS IMAGE: by service {"cases": "127.0.0.1:7002", ...}, by person {"alice": "...", ...}
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import * as grpc from "@grpc/grpc-js";
import * as loader from "@grpc/proto-loader";
import type { ProtoGrpcType as CaseTypes } from "./types/case_service";
import type { ProtoGrpcType as CustomerTypes } from "./types/customer_service";
import type { ProtoGrpcType as DirectoryTypes } from "./types/directory_service";
import type { ProtoGrpcType as NoticeTypes } from "./types/notice_service";
import type { ProtoGrpcType as PromiseTypes } from "./types/promise_service";
import type { ProtoGrpcType as ViewTypes } from "./types/view_service";
import type { ProtoGrpcType as WorkItemTypes } from "./types/work_item_service";

type Contracts = CaseTypes & CustomerTypes & DirectoryTypes & NoticeTypes & PromiseTypes & ViewTypes & WorkItemTypes;
type Method<I, O> = (request: I, done: grpc.requestCallback<O>) => unknown; // the last of its overloads
type Whole<I, O> = (request: I, metadata: grpc.Metadata, how: grpc.CallOptions, done: grpc.requestCallback<O>) => unknown;

const [addresses, tokens, image] = process.argv.slice(2);
const peers: Record<string, string> = JSON.parse(addresses);
const identities: Record<string, string> = JSON.parse(tokens);
const options = { keepCase: true, enums: String, longs: Number, defaults: true };
const definition = loader.loadFileDescriptorSetFromBuffer(readFileSync(image), options);
const { rapport } = grpc.loadPackageDefinition(definition) as unknown as Contracts;

const plain = grpc.credentials.createInsecure();
const directory = new rapport.cases.v1.DirectoryService(peers.cases, plain);
const cases = new rapport.cases.v1.CaseService(peers.cases, plain);
const work = new rapport.cases.v1.WorkItemService(peers.cases, plain);
const promises = new rapport.cases.v1.PromiseService(peers.cases, plain);
const customers = new rapport.customer.v1.CustomerService(peers.customer, plain);
const views = new rapport.customer.v1.ViewService(peers.customer, plain);
const notices = new rapport.notifications.v1.NoticeService(peers.notifications, plain);

// As somebody, with a deadline.
function call<I, O>(who: string, client: grpc.Client, method: Method<I, O>, request: I): Promise<O> {
  const metadata = new grpc.Metadata();
  metadata.set("authorization", `Bearer ${identities[who]}`);
  return new Promise((resolve, reject) =>
    (method as unknown as Whole<I, O>).call(client, request, metadata, { deadline: Date.now() + 20_000 }, (error, answer) =>
      error ? reject(error) : resolve(answer!),
    ),
  );
}

async function until<T>(found: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 300; tries++) {
    const value = await found();
    if (value) return value;
    await new Promise((again) => setTimeout(again, 200));
  }
  throw new Error("waited a minute");
}

const once = () => ({ request_id: randomUUID() });
const inDays = (days: number) => ({ seconds: Math.floor(Date.now() / 1000) + days * 86_400 });

async function story() {
  const alice = { name: "agents/alice", display_name: "Alice Brandt", phone: "+49 30 901820", department: "departments/front-desk" };
  await call("everyone", directory, directory.UpdateAgent, { agent: alice, allow_missing: true, ...once() });
  const email = `nora.winter.${randomUUID().slice(0, 8)}@example.com`;
  const { name: customer } = await call("everyone", customers, customers.CreateCustomer, {
    customer: { person: { given_name: "Nora", family_name: "Winter" }, identifiers: [{ type: "TYPE_EMAIL", value: email }] },
    ...once(),
  });
  await call("everyone", customers, customers.AssignRelationshipManager, {
    name: customer, relationship_manager: alice.name, ...once(),
  });
  const opened = await call("alice", cases, cases.OpenCase, {
    case: { customer, topic: "order-delivery", owner: alice.name }, ...once(),
  });
  const delivery = { department: "departments/delivery", reference: `orders/${randomUUID().slice(0, 8)}` };
  const item = await call("alice", work, work.CreateWorkItem, {
    work_item: { case: opened.name, kind: "deliver-order", ...delivery }, ...once(),
  });
  const { name: promise } = await call("alice", promises, promises.MakePromise, {
    promise: { customer, case: opened.name, work_item: item.name, kind: "delivery", due_time: inDays(3), ...delivery }, ...once(),
  });
  await call("dora", work, work.ForecastWorkItem, {
    name: item.name, forecast_finish_time: inDays(5), reason_code: "carrier-delay", ...once(),
  });
  const goodwill = await until(async () => {
    const view = await call("everyone", views, views.GetCustomerView, { name: `${customer}/view` });
    return view.loyalty?.goodwill.find((given) => given.promise === promise)?.goodwill;
  });
  const told = await until(async () => {
    const page = await call("everyone", notices, notices.ListNotices, { filter: `promise = "${promise}"` });
    return page.notices.every((notice) => notice.state === "NOTICE_STATE_SENT") ? page.notices : undefined;
  });
  return { customer, case: opened.name, promise, notices: told.map((notice) => notice.name), goodwill };
}

story().then(
  (outcome) => { console.log(JSON.stringify(outcome)); process.exit(); },
  (error) => { console.error(error); process.exit(1); },
);
