global using Dledger.Primitives;
