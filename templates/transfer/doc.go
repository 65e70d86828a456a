// Package transfer is what reading files from web servers has in common, whether a whole image is downloaded or blocks of
// one are read here and there: which failures may pass, how long to wait before another attempt, when a silent server has
// failed, and what stands for one version of a file.
//
//	err := transfer.Policy{}.Do(ctx, func(ctx context.Context, alive func()) (gotOn bool, err error) {
//		... one request; alive() whenever something comes; transfer.Broken(err) for a connection that broke ...
//	})
package transfer
