// Loads a running etcd through its own Go client and prints one line of JSON: how many operations ended in the measured
// time, and how long they took. Built in GOPATH mode against the library that the distribution packages, see src/etcd.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/clientv3"
)

const (
	connections     = 8
	fillOutstanding = 512
	dialTimeout     = 10 * time.Second
	loadTimeMax     = time.Minute
)

type task struct {
	kind        string
	outstanding int
	keys        int
	value       string
	warm        time.Duration
	measured    time.Duration
	seed        int64
}

type result struct {
	PerSecond int     `json:"perSecond"`
	P50Ms     float64 `json:"p50Ms"`
	P99Ms     float64 `json:"p99Ms"`
	MaxMs     float64 `json:"maxMs"`
	Failed    int     `json:"failed"`
	// Index of the endpoint that leads.
	Leader int `json:"leader"`
}

func main() {
	endpoints := flag.String("endpoints", "", "host:port,...")
	kind := flag.String("kind", "write", "write, read (linearizable) or fill (every key once)")
	outstanding := flag.Int("outstanding", 1, "operations in flight")
	keys := flag.Int("keys", 10000, "distinct keys")
	valueBytes := flag.Int("value", 128, "bytes of a value")
	warm := flag.Duration("warm", time.Second, "load before what counts")
	measured := flag.Duration("measured", 4*time.Second, "what counts")
	seed := flag.Int64("seed", 1, "of the choice of keys")
	flag.Parse()
	if *measured > loadTimeMax || *warm > loadTimeMax {
		fail(fmt.Errorf("at most %v", loadTimeMax))
	}
	value := make([]byte, *valueBytes)
	rand.New(rand.NewSource(*seed)).Read(value)
	addresses := strings.Split(*endpoints, ",")
	clients := connect(addresses)
	if *kind == "fill" {
		fill(clients, *keys, string(value))
		return
	}
	answer := load(clients, task{*kind, *outstanding, *keys, string(value), *warm, *measured, *seed})
	answer.Leader = leaderOf(clients[0], addresses)
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Spread over the members, as clients of a real cluster are.
func connect(addresses []string) []*clientv3.Client {
	clients := make([]*clientv3.Client, connections)
	for i := range clients {
		config := clientv3.Config{Endpoints: []string{addresses[i%len(addresses)]}, DialTimeout: dialTimeout}
		client, err := clientv3.New(config)
		if err != nil {
			fail(err)
		}
		clients[i] = client
	}
	return clients
}

func keyName(number int) string {
	return fmt.Sprintf("key-%08d", number)
}

func fill(clients []*clientv3.Client, keys int, value string) {
	var workers sync.WaitGroup
	for worker := 0; worker < fillOutstanding; worker++ {
		workers.Add(1)
		go func(worker int) {
			defer workers.Done()
			for key := worker; key < keys; key += fillOutstanding {
				if _, err := clients[worker%connections].Put(context.Background(), keyName(key), value); err != nil {
					fail(err)
				}
			}
		}(worker)
	}
	workers.Wait()
}

func load(clients []*clientv3.Client, work task) result {
	begin := time.Now().Add(work.warm)
	end := begin.Add(work.measured)
	latencies := make([][]time.Duration, work.outstanding)
	failures := make([]int, work.outstanding)
	var workers sync.WaitGroup
	for worker := 0; worker < work.outstanding; worker++ {
		workers.Add(1)
		go func(worker int) {
			defer workers.Done()
			random := rand.New(rand.NewSource(work.seed*1000003 + int64(worker)))
			client := clients[worker%connections]
			for {
				started := time.Now()
				if started.After(end) {
					return
				}
				err := operate(client, work, keyName(random.Intn(work.keys)))
				ended := time.Now()
				if ended.Before(begin) || ended.After(end) {
					continue
				}
				if err != nil {
					failures[worker]++
				} else {
					latencies[worker] = append(latencies[worker], ended.Sub(started))
				}
			}
		}(worker)
	}
	workers.Wait()
	return summarise(latencies, failures, work.measured)
}

func operate(client *clientv3.Client, work task, key string) error {
	if work.kind == "write" {
		_, err := client.Put(context.Background(), key, work.value)
		return err
	}
	_, err := client.Get(context.Background(), key)
	return err
}

func summarise(latencies [][]time.Duration, failures []int, measured time.Duration) result {
	var all []time.Duration
	failed := 0
	for worker, some := range latencies {
		all = append(all, some...)
		failed += failures[worker]
	}
	if len(all) == 0 {
		fail(fmt.Errorf("no operation succeeded"))
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	at := func(share float64) float64 {
		return float64(all[int(float64(len(all)-1)*share)].Microseconds()) / 1000
	}
	return result{
		PerSecond: int(float64(len(all)) / measured.Seconds()),
		P50Ms:     at(0.5), P99Ms: at(0.99), MaxMs: at(1), Failed: failed,
	}
}

func leaderOf(client *clientv3.Client, addresses []string) int {
	for i, address := range addresses {
		status, err := client.Status(context.Background(), address)
		if err == nil && status.Header.MemberId == status.Leader {
			return i
		}
	}
	return -1
}
