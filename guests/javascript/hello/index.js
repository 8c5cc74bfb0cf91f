// Greets the name in the query or the path, and says which function and version it is.

export async function handler(event, context) {
  const name = event?.queryStringParameters?.name || event?.rawPath?.slice(1) || "world";
  const { functionName, functionVersion } = context;
  return { message: `Hello, ${name}!`, function: functionName, version: functionVersion };
}
