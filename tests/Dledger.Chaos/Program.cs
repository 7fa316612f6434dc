using System.Runtime.InteropServices;
using Dledger.Chaos;

using var interrupted = new CancellationTokenSource();
using var signals = new SignalGuard(interrupted, PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP);
return await CommandLine.RunAsync(args, interrupted.Token);
