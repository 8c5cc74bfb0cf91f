package edge

import (
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Store is a namespace of the key-value store: the zero value is the function's own. A version
// grows with each write of its key and is never used twice; 0 stands for an absent key.
type Store struct{ Namespace string }

type kvRequest struct {
	Op        string  `cbor:"op"`
	Namespace string  `cbor:"namespace,omitempty"`
	Key       string  `cbor:"key,omitempty"`
	Value     any     `cbor:"value,omitempty"`
	TTL       int64   `cbor:"ttlMs,omitempty"`
	IfVersion *uint64 `cbor:"ifVersion,omitempty"`
	By        int64   `cbor:"by,omitempty"`
	Prefix    string  `cbor:"prefix,omitempty"`
	After     string  `cbor:"after,omitempty"`
	Limit     int     `cbor:"limit,omitempty"`
}

// Get decodes what a key holds into value, a pointer, and returns its version; 0 and value
// untouched when the key is absent.
func (s Store) Get(key string, value any) (version uint64, err error) {
	var entry struct {
		Value   cbor.RawMessage `cbor:"value"`
		Version uint64          `cbor:"version"`
	}
	err = Call(kvRequest{Op: "kv.get", Namespace: s.Namespace, Key: key}, &entry)
	if err != nil || entry.Version == 0 {
		return 0, err
	}
	return entry.Version, decoding.Unmarshal(entry.Value, value)
}

// Put writes, whatever was there, and returns the version written.
func (s Store) Put(key string, value any) (uint64, error) {
	return s.put(key, value, 0, nil)
}

// PutFor writes what is forgotten after a time.
func (s Store) PutFor(key string, value any, lifetime time.Duration) (uint64, error) {
	return s.put(key, value, lifetime, nil)
}

// Swap is compare-and-set: a HostError of code "conflict" unless version still stands (0: the key
// is absent).
func (s Store) Swap(key string, value any, version uint64) (uint64, error) {
	return s.put(key, value, 0, &version)
}

func (s Store) put(key string, value any, lifetime time.Duration, version *uint64) (uint64, error) {
	encoded, err := encoding.Marshal(value)
	if err != nil {
		return 0, err
	}
	request := kvRequest{Op: "kv.put", Namespace: s.Namespace, Key: key, IfVersion: version}
	request.Value, request.TTL = cbor.RawMessage(encoded), lifetime.Milliseconds()
	var written struct {
		Version uint64 `cbor:"version"`
	}
	err = Call(request, &written)
	return written.Version, err
}

// Increment adds to an integer in one step that no other request can come between; the sum.
func (s Store) Increment(key string, by int64) (int64, error) {
	var sum struct {
		Value int64 `cbor:"value"`
	}
	if by == 0 {
		_, err := s.Get(key, &sum.Value)
		return sum.Value, err
	}
	err := Call(kvRequest{Op: "kv.increment", Namespace: s.Namespace, Key: key, By: by}, &sum)
	return sum.Value, err
}

// Delete says whether there was anything.
func (s Store) Delete(key string) (bool, error) { return s.delete(key, nil) }

// DeleteIf deletes if version still stands, and fails with "conflict" otherwise.
func (s Store) DeleteIf(key string, version uint64) (bool, error) { return s.delete(key, &version) }

func (s Store) delete(key string, version *uint64) (bool, error) {
	var answer struct {
		Deleted bool `cbor:"deleted"`
	}
	request := kvRequest{Op: "kv.delete", Namespace: s.Namespace, Key: key, IfVersion: version}
	err := Call(request, &answer)
	return answer.Deleted, err
}

// Page is some keys in order, and where the next page begins (empty: nowhere).
type Page struct {
	Entries []struct {
		Key     string `cbor:"key"`
		Version uint64 `cbor:"version"`
	} `cbor:"entries"`
	Next string `cbor:"next"`
}

// List is the keys with a prefix, after a cursor (empty: from the start), at most limit (0: 100).
func (s Store) List(prefix, after string, limit int) (Page, error) {
	request := kvRequest{Op: "kv.list", Namespace: s.Namespace}
	request.Prefix, request.After, request.Limit = prefix, after, limit
	var page Page
	err := Call(request, &page)
	return page, err
}
