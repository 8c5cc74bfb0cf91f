package edge

import (
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

const depthMax = 64

var decoding = must(cbor.DecOptions{
	MaxNestedLevels:    depthMax + 2, // the envelope has two of its own
	ByteStringToString: cbor.ByteStringToStringAllowed,
	DefaultMapType:     reflect.TypeFor[map[string]any](),
}.DecMode())

// Sorted keys make the same value the same bytes; tags are not the ABI's.
var encoding = must(cbor.EncOptions{
	Sort:          cbor.SortBytewiseLexical,
	Time:          cbor.TimeRFC3339Nano,
	TagsMd:        cbor.TagsForbidden,
	BigIntConvert: cbor.BigIntConvertReject,
}.EncMode())

func must[M any](mode M, err error) M {
	if err != nil {
		panic(err)
	}
	return mode
}
