// Compares two zone files the way one does it in Go without much thought: the parser that everyone
// uses, a map from owner and type to the texts of the records, and a walk over the two maps.
//
//	zonediff APEX SERVED DESIRED
package main

import (
	"fmt"
	"log"
	"os"
	"sort"
	"strings"

	"github.com/miekg/dns"
)

type rrsetKey struct {
	owner string
	rtype uint16
}

type rrset struct {
	ttl    uint32
	rdatas []string
}

func read(apex, path string) map[rrsetKey]*rrset {
	file, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	zone := make(map[rrsetKey]*rrset)
	parser := dns.NewZoneParser(file, apex, path)
	for record, ok := parser.Next(); ok; record, ok = parser.Next() {
		header := record.Header()
		key := rrsetKey{strings.ToLower(header.Name), header.Rrtype}
		if key.owner == apex && (key.rtype == dns.TypeSOA || key.rtype == dns.TypeNS) {
			continue
		}
		set, known := zone[key]
		if !known {
			set = &rrset{ttl: header.Ttl}
			zone[key] = set
		}
		rdata := strings.TrimPrefix(record.String(), header.String())
		set.rdatas = append(set.rdatas, rdata)
	}
	if err := parser.Err(); err != nil {
		log.Fatal(err)
	}
	return zone
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	sort.Strings(a)
	sort.Strings(b)
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: zonediff APEX SERVED DESIRED")
	}
	served, desired := read(os.Args[1], os.Args[2]), read(os.Args[1], os.Args[3])
	additions, deletions, updates := 0, 0, 0
	for key, wanted := range desired {
		there, known := served[key]
		switch {
		case !known:
			additions++
		case there.ttl != wanted.ttl || !equal(there.rdatas, wanted.rdatas):
			updates++
		}
	}
	for key := range served {
		if _, known := desired[key]; !known {
			deletions++
		}
	}
	fmt.Println(additions, updates, deletions)
}
