using Dledger.Cli;
using Dledger.Cli.Output;

return (int)await CommandLine.RunAsync(args, Terminal.OfProcess());
