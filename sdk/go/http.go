package edge

import "encoding/base64"

// Request is an HTTP event (API Gateway payload 2.0), with what most functions read of it. For all
// of it use LambdaFunctionURLRequest of aws-lambda-go's events, or a type of your own.
type Request struct {
	RawPath         string            `json:"rawPath"`
	RawQueryString  string            `json:"rawQueryString"`
	Cookies         []string          `json:"cookies"`
	Headers         map[string]string `json:"headers"`
	QueryParameters map[string]string `json:"queryStringParameters"`
	RequestContext  struct {
		HTTP struct {
			Method   string `json:"method"`
			SourceIP string `json:"sourceIp"`
		} `json:"http"`
	} `json:"requestContext"`
	RawBody         string `json:"body"` // bytes, or base64; see Body
	IsBase64Encoded bool   `json:"isBase64Encoded"`
}

// Method is the request's method, in capitals.
func (r *Request) Method() string { return r.RequestContext.HTTP.Method }

// Query is a parameter of the query, or empty.
func (r *Request) Query(name string) string { return r.QueryParameters[name] }

// Header is a header, or empty; name in lower case.
func (r *Request) Header(name string) string { return r.Headers[name] }

// Body is the body's bytes, decoded where the event says that it is base64.
func (r *Request) Body() ([]byte, error) {
	if !r.IsBase64Encoded {
		return []byte(r.RawBody), nil
	}
	return base64.StdEncoding.DecodeString(r.RawBody)
}

// Response is an HTTP response in Lambda's shape. A cookie is a whole Set-Cookie value.
type Response struct {
	StatusCode int               `json:"statusCode"`
	Headers    map[string]string `json:"headers,omitempty"`
	Cookies    []string          `json:"cookies,omitempty"`
	Body       []byte            `json:"body"`
}

// Text is a response of text.
func Text(status int, body string) Response {
	return Bytes(status, "text/plain; charset=utf-8", []byte(body))
}

// Bytes is a response of any content type.
func Bytes(status int, contentType string, body []byte) Response {
	return Response{StatusCode: status, Headers: map[string]string{"content-type": contentType}, Body: body}
}
