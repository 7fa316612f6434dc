using Dledger.Cli;
using Dledger.Cli.Output;

SocketCompletions.RunInline();
return (int)await CommandLine.RunAsync(args, Terminal.OfProcess());
