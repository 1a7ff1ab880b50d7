// A registry in memory that has the referrers API (distribution-spec 1.1), for tests.
//
// Blobs and manifests are go-containerregistry's. Its own list of referrers knows neither artifact
// types, filters nor pages, so that is kept here.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/registry"
)

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int               `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

type server struct {
	next   http.Handler
	silent bool
	page   int
	lock   sync.Mutex
	lists  map[string][]descriptor
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if repository, subject, found := strings.Cut(r.URL.Path, "/referrers/"); found {
		s.list(w, r, repository+" "+subject)
		return
	}
	if repository, _, found := strings.Cut(r.URL.Path, "/manifests/"); found && r.Method == http.MethodPut {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.note(w, repository, data)
		r.Body = io.NopCloser(bytes.NewReader(data))
	}
	s.next.ServeHTTP(w, r)
}

// "Pushing Manifests with Subject".
func (s *server) note(w http.ResponseWriter, repository string, data []byte) {
	var manifest struct {
		descriptor
		Config  descriptor `json:"config"`
		Subject descriptor `json:"subject"`
	}
	if json.Unmarshal(data, &manifest) != nil || manifest.Subject.Digest == "" {
		return
	}
	new := manifest.descriptor
	new.Digest, new.Size = fmt.Sprintf("sha256:%x", sha256.Sum256(data)), len(data)
	if new.ArtifactType == "" {
		new.ArtifactType = manifest.Config.MediaType
	}
	if !s.silent {
		w.Header().Set("OCI-Subject", manifest.Subject.Digest)
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	key := repository + " " + manifest.Subject.Digest
	for _, each := range s.lists[key] {
		if each.Digest == new.Digest {
			return
		}
	}
	s.lists[key] = append(s.lists[key], new)
}

// "Listing Referrers".
func (s *server) list(w http.ResponseWriter, r *http.Request, key string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	found, query := []descriptor{}, r.URL.Query()
	wanted := query.Get("artifactType")
	for _, each := range s.lists[key] {
		if wanted == "" || each.ArtifactType == wanted {
			found = append(found, each)
		}
	}
	if wanted != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	start, _ := strconv.Atoi(query.Get("start"))
	end := min(start+s.page, len(found))
	if end < len(found) {
		query.Set("start", strconv.Itoa(end))
		w.Header().Set("Link", fmt.Sprintf("<%s?%s>; rel=\"next\"", r.URL.Path, query.Encode()))
	}
	index := "application/vnd.oci.image.index.v1+json"
	w.Header().Set("Content-Type", index)
	json.NewEncoder(w).Encode(map[string]any{
		"schemaVersion": 2, "mediaType": index, "manifests": found[min(start, end):end],
	})
}

func main() {
	address := flag.String("address", "127.0.0.1:0", "host and port to listen on")
	silent := flag.Bool("silent", false, "list referrers, and do not say so when they are pushed")
	page := flag.Int("page", 1, "referrers in one answer")
	flag.Parse()
	log.Fatal(http.ListenAndServe(*address, &server{
		next: registry.New(), silent: *silent, page: *page, lists: map[string][]descriptor{},
	}))
}
