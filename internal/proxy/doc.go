// Package proxy stands between a client and a server on TCP, so that a test can
// cut a connection at an exact moment, delay it, and count what travels.
//
//	p := proxy.New(t, db.Addr)
//	pool, _ := sql.Open("pgx", db.Via(p.Addr()))
//	lost := p.On("COMMIT", proxy.CutReply)
//	err := atomic.Do(…)           // the commit is done, and nobody is told
//	<-lost.Hit()
//
// It looks at the bytes and knows no protocol: a connection that uses TLS or
// compression shows it nothing.
package proxy
