// Greets the name in the query or the path.

export async function handler(event, context) {
  const name = event?.queryStringParameters?.name || event?.rawPath?.slice(1) || "world";
  console.log(`greeting ${name}`);
  return { message: `Hello, ${name}!` };
}
