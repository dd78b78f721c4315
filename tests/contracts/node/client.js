// A client in another language, with nothing of ours but the contracts: makes a customer and reads it back.
// node client.js ADDRESS TOKEN IMAGE, or node client.js ADDRESS TOKEN FOLDER... with the sources
const fs = require("fs");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const [address, token, ...contracts] = process.argv.slice(2);
const options = { keepCase: true };
const definition = contracts[0].endsWith(".binpb")
  ? loader.loadFileDescriptorSetFromBuffer(fs.readFileSync(contracts[0]), options)
  : loader.loadSync(
      ["rapport/customer/v1/customer_service.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"],
      { ...options, includeDirs: contracts },
    );
const { CustomerService } = grpc.loadPackageDefinition(definition).rapport.customer.v1;

const client = new CustomerService(address, grpc.credentials.createInsecure());
const metadata = new grpc.Metadata();
metadata.set("authorization", `Bearer ${token}`);
const call = (method, request) =>
  new Promise((resolve, reject) => {
    const deadline = Date.now() + 20_000;
    client[method](request, metadata, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

// The google.rpc.ErrorInfo of a refusal: its `reason` is what programs decide by.
const read = (type, bytes) => definition[type].deserialize(bytes);
const errorInfo = (error) =>
  error.metadata
    .get("grpc-status-details-bin")
    .flatMap((status) => read("google.rpc.Status", status).details)
    .filter((detail) => detail.type_url.endsWith("/google.rpc.ErrorInfo"))
    .map((detail) => read("google.rpc.ErrorInfo", detail.value))[0];

(async () => {
  const { name } = await call("CreateCustomer", { customer: { display_name: "Ada" } });
  const refused = await call("GetCustomer", { name: "nobody" }).catch(errorInfo);
  console.log(JSON.stringify({ ...(await call("GetCustomer", { name })), refused }));
  client.close();
})();
