// Greets, with a name from the query or the path.

import { Context, Value, handler, path, query } from "edge";

handler((event: Value, context: Context): Value => {
  let name = query(event, "name");
  if (!name.length) name = path(event).substring(1);
  if (!name.length) name = "world";
  return Value.map()
    .set("message", Value.text("Hello, " + name + "!"))
    .set("function", Value.text(context.functionName))
    .set("version", Value.text(context.text("functionVersion")));
});
